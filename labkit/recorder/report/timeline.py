"""The timeline: a lane for each connection, a bar for each checkout, the loops behind them."""

from __future__ import annotations

from typing import Any

from labkit.recorder.report.clustering import merged
from labkit.recorder.report.scale import Scale
from labkit.recorder.report.timeline_model import Hues, picture
from labkit.recorder.report.timeline_svg import LEFT, RIGHT, draw
from labkit.recorder.report.timeline_text import caption, write
from labkit.recorder.snapshot import Record

__all__ = ["Timeline", "beside", "timeline"]


class Timeline:
    """
    Shows itself in a notebook; `svg` is a complete file, `text()` says all of it in words.

    Several records stand below each other on one scale. The same records give the same bytes.
    """

    def __init__(self, records: list[Record], titles: list[str]) -> None:
        hues: Hues = {}
        pictures = [picture(record, hues) for record in records]
        self.titles = titles
        self.scale = Scale((moment for each in pictures for moment in each.moments()), LEFT, RIGHT)
        self.pictures = [merged(each, self.scale) for each in pictures]

    @property
    def svg(self) -> str:
        """Return the drawing."""
        return draw(self.pictures, self.titles, self.scale, caption(self.pictures, self.titles))

    def text(self) -> str:
        """Return what the drawing shows, as a table of text."""
        titles = self.titles or [""] * len(self.pictures)
        return "\n\n".join(write(each, title) for each, title in zip(self.pictures, titles, strict=True))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.svg, "text/plain": self.text()}


def timeline(record: Record) -> Timeline:
    """Return the timeline of a record."""
    return Timeline([record], [])


def beside(left: Record, right: Record, titles: tuple[str, str] = ("broken", "fixed")) -> Timeline:
    """Return two records below each other on one scale, each from the beginning of its recorder."""
    return Timeline([left, right], list(titles))
