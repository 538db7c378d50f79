"""Merging: what stands too close together to be read is drawn as one, and says how many it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from labkit.recorder.report.markers import MEANINGS, Sign
from labkit.recorder.report.scale import Scale
from labkit.recorder.report.svg import text_width
from labkit.recorder.report.timeline_model import MIXED, Bar, Lane, Picture
from labkit.recorder.wording import count, duration, moment

__all__ = ["merged", "rows"]

ROOM = 1_200  # bars and signs in one picture; each takes about 400 bytes of SVG
NEAR = (12, 24, 48, 96, 192)  # pixels between neighbours; the first that makes all fit is used
WIDEST = 110  # pixels of a bar that stands for several: the counts show where there is more and where less
ROWS = 6  # bars above each other in one lane
NOTE = "Neighbouring short checkouts are drawn as one bar, which says how many they are."


def merged(picture: Picture, scale: Scale) -> Picture:
    """Return a picture in which neighbours that could not be told apart are one, and few enough for a page."""
    for near in NEAR:
        lanes = [_lane(lane, scale, near) for lane in picture.lanes]
        if sum(len(lane.bars) + len(lane.signs) + len(lane.statements) for lane in lanes) <= ROOM:
            break
    notes = [*picture.notes]
    if any(bar.count > 1 for lane in lanes for bar in lane.bars):
        notes.insert(0, NOTE)
    hues = {bar.hue for lane in lanes for bar in lane.bars}
    tasks = {hue: name for hue, name in picture.tasks.items() if hue in hues}
    return replace(picture, lanes=lanes, notes=notes, tasks=tasks)


def rows(bars: list[Bar]) -> list[list[Bar]]:
    """Return bars in rows, so that no two of a row overlap; what needs too many rows is one bar in the last."""
    found: list[list[Bar]] = []
    for bar in bars:
        free = next((row for row in found if row[-1].end <= bar.start), None)
        if free is not None:
            free.append(bar)
        elif len(found) < ROWS:
            found.append([bar])
        else:
            found[-1][-1] = _one([found[-1][-1], bar])
    return found


def _lane(lane: Lane, scale: Scale, near: float) -> Lane:
    return replace(
        lane,
        bars=_grouped(lane.bars, lambda before, after: _close(before, after, scale, near), _one),
        signs=_signs(lane.signs, scale, near),
        statements=_strokes(lane.statements, scale),
    )


def _close(before: Bar, after: Bar, scale: Scale, near: float) -> bool:
    """Return True if two bars are too short and too near each other for their names."""
    if scale(after.start) - scale(before.end) >= near or scale(after.end) - scale(before.start) > WIDEST + near:
        return False
    if near == NEAR[0] and (before.odd or after.odd or (_named(before, scale) and _named(after, scale))):
        return False
    short = before.count > 1 or scale(before.end) - scale(before.start) < 3 * near
    return before.still == after.still and short and scale(after.end) - scale(after.start) < 3 * near


def _named(bar: Bar, scale: Scale) -> bool:
    return bar.count == 1 and text_width(bar.label, 10) + 8 <= scale(bar.end) - scale(bar.start)


def _grouped(bars: list[Bar], close: Callable[[Bar, Bar], bool], join: Callable[[list[Bar]], Bar]) -> list[Bar]:
    groups: list[list[Bar]] = []
    last: Bar | None = None
    for bar in bars:
        if last is not None and close(last, bar):
            groups[-1].append(bar)
            last = replace(last, end=max(last.end, bar.end), count=2)
        else:
            groups.append([bar])
            last = bar
    return [join(group) if len(group) > 1 else group[0] for group in groups]


def _one(bars: list[Bar]) -> Bar:
    number, noun = sum(bar.count for bar in bars), bars[0].noun
    start, end = bars[0].start, max(bar.end for bar in bars)
    names = tuple(dict.fromkeys(name for bar in bars for name in bar.names or (bar.label,)))
    hues = {bar.hue for bar in bars}
    alone = len(names) == len(hues) == 1
    who = f"{count(len(names), 'task')} ({', '.join(names[:5])}{', …' if len(names) > 5 else ''})"
    still = next((bar.still for bar in bars if bar.still), "")
    longest = duration(max(bar.end - bar.start for bar in bars))
    return Bar(
        start,
        end,
        f"{names[0]}: {number}" if alone else count(number, noun),
        f"{count(number, noun)} by {who}, from {moment(start)} to {moment(end)}, the longest {longest}"
        + (f", {still}" if still else ""),
        hues.pop() if alone else MIXED,
        still,
        any(bar.odd for bar in bars),
        number,
        noun,
        names,
    )


def _signs(signs: list[Sign], scale: Scale, near: float) -> list[Sign]:
    """Return signs, those of one shape that would cover each other as one."""
    last: dict[str, int] = {}
    found: list[Sign] = []
    for sign in signs:
        at = last.get(sign.shape)
        if at is not None and scale(sign.at) - scale(found[at].at) < near:
            found[at] = replace(found[at], count=found[at].count + sign.count)
        else:
            last[sign.shape] = len(found)
            found.append(sign)
    return [
        replace(sign, detail=f"{sign.count} times {MEANINGS[sign.shape]}, first {sign.detail}")
        if sign.count > 1
        else sign
        for sign in found
    ]


def _strokes(strokes: list[tuple[int, int]], scale: Scale) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in strokes:
        if found and scale(start) - scale(found[-1][1]) < NEAR[0]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
