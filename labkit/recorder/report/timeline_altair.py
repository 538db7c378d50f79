"""The timeline as an Altair chart: the same lanes, bars and signs, with a tooltip for each and a scale to zoom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labkit.recorder.report.markers import MEANINGS
from labkit.recorder.report.svg import colour, text_width
from labkit.recorder.report.timeline_model import Bar, Lane, Picture

__all__ = ["chart"]

WIDE = 800
HIGH = 42  # of a lane
_SHAPES = {
    "opened": "circle",
    "closed": "square",
    "invalidated": "cross",
    "disposed": "diamond",
    "cancelled": "triangle-up",
    "collected": "M -1 -0.7 H 1 M -0.8 -0.7 L -0.6 1 H 0.6 L 0.8 -0.7 M -0.3 -1 H 0.3",
    "fault": "M -0.15 -1 H 0.15 V 0.3 H -0.15 Z M -0.15 0.65 H 0.15 V 1 H -0.15 Z",
    "other": "stroke",
}


def chart(pictures: list[Picture], titles: list[str]) -> Any:
    """Return pictures as a chart, below each other on one scale; needs Altair."""
    import altair

    end = max(picture.end for picture in pictures) / 1000
    x = altair.X("from:Q", title="ms since the recorder began", scale=altair.Scale(domain=[0, end], nice=False))
    panels = [_panel(altair, picture, x, end, f"zoom_{place}") for place, picture in enumerate(pictures, start=1)]
    for panel, title in zip(panels, titles, strict=False):
        panel.title = title
    whole = altair.vconcat(*panels) if titles else panels[0]
    return whole.configure(background="#ffffff").configure_view(stroke=None)


def _panel(altair: Any, picture: Picture, x: Any, end: float, name: str) -> Any:
    lanes = {f"{place:02} {lane.title}": lane for place, lane in enumerate(picture.lanes, start=1)}
    axis = altair.Axis(labelLimit=260, labelExpr=_AFTER_NUMBER)
    y = altair.Y("lane:N", sort=[_LOOPS, *lanes], title=None, axis=axis)
    layers = [*_loops(altair, picture, x, y), *_bars(altair, lanes, x, y, end), _signs(altair, lanes, x, y)]
    drawn = altair.layer(*layers).resolve_scale(color="independent", shape="independent")
    return drawn.properties(width=WIDE, height=HIGH * (len(lanes) + 1)).interactive(name=name, bind_y=False)


_LOOPS = "00 loops"
_AFTER_NUMBER = "substring(datum.value, indexof(datum.value, ' ') + 1)"


def _data(altair: Any, rows: list[dict[str, Any]]) -> Any:
    return altair.Chart(altair.Data(values=rows))


def _loops(altair: Any, picture: Picture, x: Any, y: Any) -> list[Any]:
    rows = [
        {
            "lane": _LOOPS,
            "from": band.start / 1000,
            "to": (picture.end if band.end is None else band.end) / 1000,
            "title": band.title,
            "closes": "" if band.end is None else f"{band.title} closes",
        }
        for band in picture.bands
    ]
    base = _data(altair, rows)
    band = base.mark_rect(opacity=0.08, color="#3d6fd0").encode(x=x, x2="to:Q", tooltip="title:N")
    begins = base.mark_text(align="left", dx=4, fontSize=10).encode(x=x, y=y, text="title:N")
    closing = base.transform_filter("datum.closes").encode(x=altair.X("to:Q"), tooltip="closes:N")
    line = closing.mark_rule(strokeDash=[5, 3], color="#3d62a8")
    return [band, line, begins, closing.mark_text(align="right", dx=-4, fontSize=10).encode(y=y, text="closes:N")]


def _bars(altair: Any, lanes: dict[str, Lane], x: Any, y: Any, end: float) -> list[Any]:
    rows = [_row(name, bar, after, end) for name, lane in lanes.items() for bar, after in _pairs(lane.bars)]
    base = _data(altair, rows).encode(x=x, y=y, tooltip="what:N")
    drawn = base.mark_bar(height=18, yOffset=6).encode(x2="to:Q", color=altair.Color("fill:N", scale=None))
    still = drawn.transform_filter("datum.still")
    dashed = still.mark_bar(height=18, yOffset=6, stroke="#1b1f24", strokeDash=[4, 2], strokeWidth=1.5)
    words = base.mark_text(align="left", dx=4, fontSize=10, yOffset=6)
    return [drawn, dashed, words.encode(x="at:Q", text="label:N", color=altair.Color("ink:N", scale=None))]


def _pairs(bars: list[Bar]) -> Iterator[tuple[Bar, Bar | None]]:
    return zip(bars, [*bars[1:], None], strict=True)


def _row(lane: str, bar: Bar, after: Bar | None, end: float) -> dict[str, Any]:
    fill, ink = colour(bar.hue)
    label = f"{bar.label}, {bar.still}" if bar.still else bar.label
    needed = (text_width(label, 10) + 8) / WIDE * end * 1000
    inside = needed <= bar.end - bar.start
    outside = needed <= (after.start if after else end * 1000) - bar.end
    return {
        "lane": lane,
        "from": bar.start / 1000,
        "to": bar.end / 1000,
        "at": (bar.start if inside else bar.end) / 1000,
        "label": label if inside or outside else "",
        "what": bar.detail,
        "still": bool(bar.still),
        "fill": fill,
        "ink": ink if inside else "#111",
    }


def _signs(altair: Any, lanes: dict[str, Lane], x: Any, y: Any) -> Any:
    rows = [
        {"lane": name, "from": sign.at / 1000, "sign": MEANINGS[sign.shape], "what": sign.detail}
        for name, lane in lanes.items()
        for sign in lane.signs
    ]
    present = [name for name in MEANINGS if any(row["sign"] == MEANINGS[name] for row in rows)]
    scale = altair.Scale(domain=[MEANINGS[name] for name in present], range=[_SHAPES[name] for name in present])
    return (
        _data(altair, rows)
        .mark_point(size=50, color="#1b1f24", filled=False, yOffset=-12)
        .encode(x=x, y=y, tooltip="what:N", shape=altair.Shape("sign:N", title=None, scale=scale))
    )
