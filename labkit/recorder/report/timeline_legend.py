"""The legend below a timeline: signs, bars, tasks and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.report.markers import MEANINGS
from labkit.recorder.report.scale import Scale
from labkit.recorder.report.svg import GREY, PALETTE, colour, letters, rect, shape, text_width
from labkit.recorder.report.timeline_model import Picture
from labkit.recorder.wording import moment

__all__ = ["legend"]

TASKS = 14
_HIGH = 17
_STROKE = 'stroke="#000" stroke-opacity=".45" stroke-width=".6"'


def legend(pictures: list[Picture], scale: Scale, y: float, wide: float) -> tuple[list[str], float]:
    """Return the legend for some pictures, and where it ends."""
    parts: list[str] = []
    x, y = 14.0, y + 6
    for mark, words in _entries(pictures):
        needed = 16 + text_width(words) + 14
        if x + needed > wide - 8 and x > 14:
            x, y = 14.0, y + _HIGH
        parts += [mark.replace("@", f"{x:.1f} {y - 4:.1f}"), letters(x + 16, y, words, kind="d")]
        x += needed
    for note in _notes(pictures, scale):
        y += _HIGH
        parts.append(letters(14, y, note, kind="d"))
    return parts, y + 12


def _entries(pictures: list[Picture]) -> Iterator[tuple[str, str]]:
    """Return each mark, with an @ for its place, and its meaning."""
    lanes = [lane for picture in pictures for lane in picture.lanes]
    present = {sign.shape for lane in lanes for sign in lane.signs}
    for name in filter(present.__contains__, MEANINGS):
        yield f'<g transform="translate(@)">{shape(name, 4, 0)}</g>', MEANINGS[name]
    if any(bar.still for lane in lanes for bar in lane.bars):
        yield _sample('stroke="#1b1f24" class="o" stroke-dasharray="3 2" fill="#ddd"'), "not given back"
    if any(lane.thin for lane in lanes):
        yield _sample(f'fill="#b5b5b5" {_STROKE}', 5), "waits for a connection"
    if any(lane.statements for lane in lanes):
        yield _sample('fill="#1b1f24" class="f"', 3), "a statement runs"
    tasks = {hue: name for picture in pictures for hue, name in picture.tasks.items()}
    for hue in sorted(tasks)[:TASKS]:
        yield _sample(f'rx="2" fill="{colour(hue)[0]}" {_STROKE}'), tasks[hue]
    if len(tasks) > TASKS:
        yield "", f"and {len(tasks) - TASKS} more tasks; after {len(PALETTE)} tasks the colours come again"
    if any(bar.hue < 0 for lane in lanes for bar in lane.bars):
        yield _sample(f'rx="2" fill="{GREY[0]}" {_STROKE}'), "several tasks"


def _sample(look: str, high: float = 9) -> str:
    return f'<g transform="translate(@)">{rect(0, -high / 2, 12, high, look)}</g>'


def _notes(pictures: list[Picture], scale: Scale) -> Iterator[str]:
    if scale.start:
        yield f"0 is {moment(scale.start)} after the recorder began."
    yield from dict.fromkeys(note for picture in pictures for note in picture.notes)
