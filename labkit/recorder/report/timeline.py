"""The timeline: a lane for each connection, a bar for each checkout, the loops behind them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from labkit.errors import InvalidInput, MissingCapability
from labkit.recorder.report.clustering import merged
from labkit.recorder.report.scale import Scale
from labkit.recorder.report.timeline_model import Hues, picture
from labkit.recorder.report.timeline_svg import LEFT, RIGHT, draw
from labkit.recorder.report.timeline_text import caption, write
from labkit.recorder.snapshot import Record

__all__ = ["BACKENDS", "Timeline", "beside", "timeline"]

BACKENDS = ("altair", "svg")


class Timeline:
    """
    Shows itself in a notebook; `svg` is a file of its own, `text()` says all of it in words.

    Several records stand below each other on one scale. The same records give the same bytes.
    """

    def __init__(self, records: list[Record], titles: list[str], backend: str) -> None:
        hues: Hues = {}
        pictures = [picture(record, hues) for record in records]
        self.titles = titles
        self.backend = backend
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

    def chart(self) -> Any:
        """Return the timeline as an Altair chart, which can be zoomed and asked; needs Altair."""
        from labkit.recorder.report.timeline_altair import chart

        return chart(self.pictures, self.titles)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str | None:
        return self.svg if self.backend == "svg" else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self.backend == "svg":
            return {"text/html": self.svg, "text/plain": self.text()}
        # JupyterLab draws Vega-Lite 5 by itself, offline; whoever can't, takes the picture.
        chart = {**self.chart().to_dict(), "$schema": "https://vega.github.io/schema/vega-lite/v5.json"}
        return {
            "application/vnd.vegalite.v5+json": chart,
            "image/svg+xml": self.svg,
            "text/plain": self.text(),
        }


def timeline(record: Record, backend: str | None = None) -> Timeline:
    """
    Return the timeline of a record. A notebook shows it with Altair where that is installed, else as SVG.

    Raises `InvalidInput` for a backend that isn't "altair" or "svg", `MissingCapability` for "altair" without it.
    """
    return Timeline([record], [], _backend(backend))


def beside(left: Record, right: Record, titles: tuple[str, str] = ("broken", "mended")) -> Timeline:
    """Return two records below each other on one scale, each from the beginning of its recorder."""
    return Timeline([left, right], list(titles), "svg")


def _backend(name: str | None) -> str:
    if name is None:
        return "altair" if find_spec("altair") else "svg"
    if name not in BACKENDS:
        raise InvalidInput(f"a timeline is drawn by one of {', '.join(BACKENDS)}, not by {name!r}.")
    if name == "altair" and not find_spec("altair"):
        raise MissingCapability("Altair is not installed.", remedy="`pip install altair`, or take backend='svg'.")
    return name
