"""The timeline as text: all that the drawing shows, one line for each thing."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.report.table import columns
from labkit.recorder.report.timeline_model import Lane, Picture
from labkit.recorder.wording import count, joined, moment

__all__ = ["caption", "write"]


def write(picture: Picture, title: str = "") -> str:
    """Return a picture as an aligned table, lane after lane, in the order of time."""
    lines = [["lane", "from", "to", "what"], *_bands(picture)]
    for lane in picture.lanes:
        lines += sorted(_lane(lane), key=lambda line: line[1:3])
    return "\n".join([*([title] if title else []), *columns(lines), *picture.notes])


def caption(pictures: list[Picture], titles: list[str]) -> str:
    """Return in some sentences what pictures show, for those who can't see them."""
    return " ".join(_caption(picture, title) for picture, title in zip(pictures, titles or [""], strict=True))


def _bands(picture: Picture) -> Iterator[list[str]]:
    for band in picture.bands:
        yield [band.title, moment(band.start), "open" if band.end is None else moment(band.end), _life(band.end)]


def _life(end: int | None) -> str:
    return "the loop is open" if end is None else "the loop's life, until it closes"


def _lane(lane: Lane) -> Iterator[list[str]]:
    for bar in lane.bars:
        yield [lane.title, moment(bar.start), moment(bar.end), bar.detail]
    for sign in lane.signs:
        yield [lane.title, moment(sign.at), "", sign.detail]
    for start, end in lane.statements:
        yield [lane.title, moment(start), moment(end), "a statement runs"]


def _caption(picture: Picture, title: str) -> str:
    connections = [lane for lane in picture.lanes if not lane.thin]
    checkouts = sum(bar.count for lane in connections for bar in lane.bars)
    lost = [bar.detail for lane in connections for bar in lane.bars if bar.still]
    waits = sum(bar.count for lane in picture.lanes if lane.thin for bar in lane.bars)
    loops = [f"{band.title} closes at {moment(band.end)}" for band in picture.bands if band.end is not None]
    parts = [
        f"{title + ': ' if title else ''}{count(picture.connections, 'connection')}, {count(checkouts, 'checkout')}"
        f"{', ' + count(waits, 'wait') if waits else ''} in {moment(picture.end)}.",
        f"{joined(loops[:5])}." if loops else "",
        f"Not given back: {'; '.join(lost[:5])}{f'; and {len(lost) - 5} more' if len(lost) > 5 else ''}."
        if lost
        else "",
    ]
    return " ".join(filter(None, parts))
