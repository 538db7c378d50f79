"""The timeline as SVG: one self-contained drawing, the same bytes for the same record."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.report.clustering import rows
from labkit.recorder.report.scale import Scale
from labkit.recorder.report.svg import STYLE, colour, fitting, letters, line, number, rect, shape, text_width
from labkit.recorder.report.timeline_legend import legend
from labkit.recorder.report.timeline_model import Band, Bar, Lane, Picture
from labkit.recorder.sanitize import clip, markup
from labkit.recorder.wording import duration

__all__ = ["LEFT", "RIGHT", "draw"]

WIDE = 1_000
LEFT, RIGHT = 172, 980  # where the time begins and ends
TALL, THIN = 18, 7  # a bar, and one that shows a wait
SIGNS = 12  # above the bars of a lane
GAP = 6
GRID = 'class="g" stroke="#dfe3e8"'
EDGE = 'class="l" stroke="#3d62a8" stroke-width="1.4"'


def draw(pictures: list[Picture], titles: list[str], scale: Scale, says: str) -> str:
    """Return pictures below each other on one scale; `says` is told to those who can't see them."""
    parts: list[str] = []
    y = 10.0
    for place, picture in enumerate(pictures):
        if titles:
            parts.append(letters(14, y + 14, titles[place], size=14, bold=True))
            y += 24
        panel, y = _panel(picture, scale, y)
        parts += [*panel]
    end, y = legend(pictures, scale, y, WIDE)
    body = "".join([*parts, *end])
    title = markup(" and ".join(titles) or "Timeline of connections", 300)
    paper = rect(0.5, 0.5, WIDE - 1, y - 1, 'rx="8" class="p" fill="#fff" stroke="#d0d7de"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {number(y)}" role="img" class="lk-flight" '
        f'width="{WIDE}" height="{number(y)}" style="max-width:100%;height:auto" font-size="11" '
        'font-family="system-ui,-apple-system,Segoe UI,Helvetica,Arial,DejaVu Sans,sans-serif">'
        f"<title>{title}</title><desc>{markup(says, 4_000)}</desc><style>{STYLE}</style>{paper}{body}</svg>\n"
    )


def _panel(picture: Picture, scale: Scale, y: float) -> tuple[list[str], float]:
    strip = _packed(picture.bands)
    top = y + 15 * len(strip) + 4
    lanes, bottom = _lanes(picture, scale, top)
    back = _axis(scale, top, bottom)
    bands = [_band(band, picture, scale, y + 15 * place, bottom) for place, row in enumerate(strip) for band in row]
    ends = [_close(row, scale, y + 15 * place, bottom) for place, row in enumerate(strip)]
    return [*back, *bands, *lanes, *ends], bottom + 26


def _packed(bands: list[Band]) -> list[list[Band]]:
    """Return loops in rows, so that no two of a row live at the same time."""
    found: list[list[Band]] = []
    for band in bands:
        free = next((row for row in found if (last := row[-1].end) is not None and last <= band.start), None)
        if free is None:
            found.append([band])
        else:
            free.append(band)
    return found[:8]


def _band(band: Band, picture: Picture, scale: Scale, y: float, bottom: float) -> str:
    left, right = scale(band.start), scale(picture.end if band.end is None else band.end)
    back = rect(left, y, right - left, bottom - y, 'class="b" fill="#3d6fd0" fill-opacity=".075"')
    return back + line(left, y, left, bottom, f'{EDGE} stroke-opacity=".55"')


def _close(row: list[Band], scale: Scale, y: float, bottom: float) -> str:
    """Return the words of a row of loops as far as there is room, and the lines at which they close."""
    parts, taken = [], 0.0
    for band, after in zip(row, [*row[1:], None], strict=True):
        left = scale(band.start)
        if left + 4 > taken:
            parts.append(letters(left + 4, y + 11, band.title))
            taken = left + 4 + text_width(band.title)
        if band.end is not None:
            right, closes = scale(band.end), f"{band.title} closes"
            edge = line(right, y, right, bottom, f'{EDGE} stroke-dasharray="5 3"')
            parts.append(f"<g><title>{markup(closes)}</title>{edge}</g>")
            words, taken = _closes(closes, right, y, taken, scale(after.start) if after else WIDE - 8)
            parts.append(words)
    return "".join(parts)


def _closes(title: str, right: float, y: float, taken: float, until: float) -> tuple[str, float]:
    """Return the words for a loop's end, before its line or behind it, and how far they reach."""
    for words in (title, "closes"):
        needed = text_width(words) + 4
        if right - needed > taken:
            return letters(right - 4, y + 11, words, anchor="end"), right
        if right + needed < until:
            return letters(right + 4, y + 11, words), right + needed
    return "", max(taken, right)


def _axis(scale: Scale, top: float, bottom: float) -> Iterator[str]:
    yield line(LEFT, bottom, RIGHT, bottom, GRID)
    for x, label in scale.ticks():
        yield line(x, top, x, bottom + 4, GRID)
        yield letters(x, bottom + 15, label, kind="d", anchor="middle" if x < RIGHT - 20 else "end")
    for piece in scale.squeezed():
        look = 'class="g" stroke="#dfe3e8" stroke-width="2" stroke-dasharray="2 4"'
        middle = (piece.left + piece.right) / 2
        for x in (middle - 3, middle + 3):
            yield line(x, top, x, bottom + 4, look)
        passed = " ".join(duration(piece.end - piece.start).split()[:2])
        yield letters(middle, bottom + 15, f"{passed} pass", kind="d", anchor="middle")


def _lanes(picture: Picture, scale: Scale, y: float) -> tuple[list[str], float]:
    parts: list[str] = []
    for lane in picture.lanes:
        drawn, high = _lane(lane, scale, y)
        parts += [line(14, y, RIGHT, y, GRID), *drawn]
        y += high
    if not picture.lanes:
        parts.append(letters(LEFT + 8, y + 20, "No connection was opened.", kind="d"))
        y += 32
    return parts, y


def _lane(lane: Lane, scale: Scale, y: float) -> tuple[list[str], float]:
    tall = THIN if lane.thin else TALL
    stacked = rows(lane.bars)
    top = y + (5 if lane.thin else SIGNS + 4)
    parts = [
        letters(14, y + 14, lane.title, bold=True),
        letters(14, y + 27, clip(lane.below, 27), kind="d", size=10),
    ]
    for place, row in enumerate(stacked):
        for bar, after in zip(row, [*row[1:], None], strict=True):
            until = scale(after.start) if after else RIGHT + 12
            parts.append(_bar(bar, scale, top + place * (tall + 2), tall, until))
    under = top + max(1, len(stacked)) * (tall + 2)
    look = 'class="k" stroke="#1b1f24" stroke-width="2.4"'
    parts += [line(scale(a), under, max(scale(b), scale(a) + 1), under, look) for a, b in lane.statements]
    parts += _signs(lane, scale, y + SIGNS - 3)
    return parts, max(under - y + GAP, 36)


def _bar(bar: Bar, scale: Scale, y: float, tall: float, until: float) -> str:
    left = scale(bar.start)
    right = max(scale(bar.end), left + 2)
    fill, ink = colour(bar.hue)
    title = f"<title>{markup(bar.detail)}</title>"
    if bar.still:
        parts = [title, _open_ended(left, right, y, tall, fill, left + 12 + text_width(_words(bar), 10))]
    else:
        look = f'rx="2" fill="{fill}" stroke="#000" stroke-opacity=".45" stroke-width=".6"'
        parts = [title, rect(left, y, right - left, tall, look)]
    return f"<g>{''.join(parts)}{_label(bar, left, right, y, tall, until, ink)}</g>"


def _open_ended(left: float, right: float, y: float, tall: float, fill: str, free: float) -> str:
    """Return a bar with an arrow's point, striped from `free` on: what it shows did not end as it should."""
    tip = min(9.0, right - left)
    outline = (
        f'<path d="M{number(left)} {number(y)}H{number(right - tip)}L{number(right)} {number(y + tall / 2)}'
        f'L{number(right - tip)} {number(y + tall)}H{number(left)}z" fill="{fill}" class="o" stroke="#1b1f24" '
        'stroke-width="1.2" stroke-dasharray="4 2"/>'
    )
    look = f'stroke="#000" stroke-opacity=".22" stroke-width="{number(tall)}" stroke-dasharray="2.5 5.5"'
    return outline + (line(free, y + tall / 2, right - 12, y + tall / 2, look) if right - free > 20 else "")


def _words(bar: Bar) -> str:
    return f"{bar.label}, {bar.still}" if bar.still else bar.label


def _label(bar: Bar, left: float, right: float, y: float, tall: float, until: float, ink: str) -> str:
    size = 10 if tall > THIN else 8.5
    base = y + tall / 2 + size * 0.36
    inside, outside = right - left - (22 if bar.still else 8), until - right - 8
    if tall <= THIN:
        inside = 0
    for words in [_words(bar), *([f"{bar.count}"] if bar.count > 1 else [])]:
        if text_width(words, size) <= inside:
            return letters(left + 5, base, words, ink=ink, size=size)
        if text_width(words, size) <= outside:
            return letters(right + 4, base, words, size=size)
    if inside >= outside:
        return letters(left + 5, base, fitting(_words(bar), inside, size), ink=ink, size=size)
    return letters(right + 4, base, fitting(_words(bar), outside, size), size=size)


def _signs(lane: Lane, scale: Scale, y: float) -> Iterator[str]:
    last = -100.0
    for sign in lane.signs:
        x = max(scale(sign.at), last + 11)
        last = x
        yield shape(sign.shape, min(x, WIDE - 8), y, sign.detail)
        if sign.count > 1:
            words = f"{sign.count} times"
            yield letters(x + 6, y + 4, words, size=9)
            last += text_width(words, 9) + 2
