"""With Altair, the timeline is a chart that shows the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labkit.recorder.report import beside, timeline

from ..records import busy, exhausted, mended, nothing, pubsub, story

pytest.importorskip("altair")
VEGA = "application/vnd.vegalite.v5+json"


def values(chart: dict[str, Any]) -> list[dict[str, Any]]:
    layers = [layer for panel in chart.get("vconcat", [chart]) for layer in panel["layer"]]
    return [row for layer in layers for row in layer["data"]["values"]]


@pytest.mark.push
def test_it_shows_every_bar_sign_and_loop_of_the_drawing() -> None:
    for record in (story()[0], pubsub(), busy()):
        drawn = timeline(record, "altair")
        told = {row.get("what", row.get("closes")) for row in values(drawn.chart().to_dict())}
        lanes = drawn.pictures[0].lanes

        assert told >= {bar.detail for lane in lanes for bar in lane.bars}
        assert told >= {sign.detail for lane in lanes for sign in lane.signs}
        assert told >= {f"{band.title} closes" for band in drawn.pictures[0].bands if band.end is not None}


def test_what_is_still_held_is_marked() -> None:
    rows = values(timeline(exhausted()[0], "altair").chart().to_dict())

    assert {row["label"] for row in rows if row.get("still")} == {f"order-{n}, still held" for n in (1, 2, 3)}


def test_a_notebook_gets_the_chart_offline_and_the_drawing_where_it_cannot() -> None:
    drawn = timeline(story()[0])
    bundle = drawn._repr_mimebundle_()

    assert drawn._repr_html_() is None
    assert list(bundle) == [VEGA, "image/svg+xml", "text/plain"]
    assert bundle["image/svg+xml"] == drawn.svg
    assert "http" not in json.dumps({key: value for key, value in bundle[VEGA].items() if key != "$schema"})


@pytest.mark.push
def test_two_records_stand_below_each_other() -> None:
    chart = beside(story()[0], mended(), ("broken", "mended")).chart().to_dict()

    assert [panel["title"] for panel in chart["vconcat"]] == ["broken", "mended"]


def test_a_record_without_connections_is_a_chart_too() -> None:
    assert values(timeline(nothing(), "altair").chart().to_dict()) == []


@pytest.mark.push
def test_the_chart_can_be_drawn_by_the_version_that_it_names() -> None:
    converter = pytest.importorskip("vl_convert")
    chart = json.dumps(timeline(story()[0])._repr_mimebundle_()[VEGA])

    drawn = converter.vegalite_to_svg(chart, vl_version="5.20")

    assert "loop #1 closes" in drawn
    assert "signup, never returned" in drawn
