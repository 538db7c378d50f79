"""The timeline shows every checkout, says what it merges, and is the same bytes for the same record."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from labkit.recorder.json_format import dump, load
from labkit.recorder.model import Kind
from labkit.recorder.report import beside, report_text, timeline
from labkit.recorder.report.markers import MEANINGS
from labkit.recorder.report.svg import GREY, PALETTE, STYLE
from labkit.recorder.snapshot import Record

from .. import records
from ..records import MS, Build

SVG = "{http://www.w3.org/2000/svg}"
SAMPLES = {
    "nothing": records.nothing(),
    "clean": records.clean(),
    "story": records.story()[0],
    "exhausted": records.exhausted()[0],
    "two loops": records.two_loops(),
    "cancelled": records.cancelled(),
    "pubsub": records.pubsub(),
    "gap": records.gap(),
    "busy": records.busy(),
}


def drawing(record: Record) -> ET.Element:
    return ET.fromstring(timeline(record).svg)


def words_of(record: Record) -> list[str]:
    return [element.text or "" for element in drawing(record).iter(f"{SVG}text")]


def titles_of(record: Record) -> list[str]:
    return [
        element.text or "" for group in drawing(record).iter(f"{SVG}g") for element in group.findall(f"{SVG}title")
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_it_stands_alone_and_tells_those_who_cannot_see_it(name: str) -> None:
    drawn = drawing(SAMPLES[name])
    text = timeline(SAMPLES[name]).svg

    assert drawn.attrib["role"] == "img"
    assert drawn.findtext(f"{SVG}title")
    assert drawn.findtext(f"{SVG}desc")
    assert not re.search(r"href|url\(|<script|@import|\bid=", text)


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_reaches_over_the_edge(name: str) -> None:
    drawn = drawing(SAMPLES[name])
    wide, high = map(float, drawn.attrib["viewBox"].split()[2:])

    for box in drawn.iter(f"{SVG}rect"):
        x, y, w, h = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        assert x >= 0 or "transform" in ET.tostring(drawn, "unicode")
        assert x + w <= wide
        assert y + h <= high
    for element in drawn.iter(f"{SVG}text"):
        assert 0 <= float(element.attrib["x"]) <= wide
        assert 0 <= float(element.attrib["y"]) <= high


@pytest.mark.parametrize("name", SAMPLES)
def test_the_text_says_all_that_the_drawing_shows(name: str) -> None:
    text = timeline(SAMPLES[name]).text()

    assert [title for title in titles_of(SAMPLES[name]) if title not in text and "closes" not in title] == []
    for loop in SAMPLES[name].loops:
        assert f"loop #{loop.number}" in text


def test_the_story_is_seen() -> None:
    words = words_of(SAMPLES["story"])

    assert {"loop #1", "loop #1 closes", "connection 1", "connection 2"} <= set(words)
    assert {"signup, never returned", "signup", "Task-2 (save_user_again)"} <= set(words)
    assert {"opened", "closed", "pool disposed", "garbage collected", "something went wrong"} <= set(words)


def test_a_leak_goes_on_past_the_end_of_its_loop() -> None:
    text = timeline(SAMPLES["story"]).text()

    assert re.search(r"^loop #1 +0\.001 s  0\.052 s", text, re.MULTILINE)
    assert re.search(r"^connection 1 +0\.012 s  0\.071 s", text, re.MULTILINE)


def test_every_loop_has_its_begin_and_its_close() -> None:
    words = words_of(SAMPLES["two loops"])

    assert [word for word in words if word.startswith("loop")] == [
        f"loop #{number}{closes}" for number in (1, 2, 3) for closes in ("", " closes")
    ]


def test_a_short_loop_has_its_words_behind_its_line() -> None:
    build = Build()
    for start in (0, 40, 50, 100):
        build.loop(start * MS, (start + 4) * MS)
    drawn = drawing(build.done(200 * MS))
    places = {element.text: float(element.attrib["x"]) for element in drawn.iter(f"{SVG}text")}
    scale = timeline(build.record).scale

    assert places["loop #1 closes"] > scale(4 * MS)
    assert {"loop #2", "loop #4", "loop #4 closes"} <= set(places)
    assert places["loop #4 closes"] > scale(104 * MS)


def test_waits_for_the_pool_stand_in_a_lane_of_their_own() -> None:
    record = SAMPLES["exhausted"]

    assert 'task "order-4" waited 2 s for a connection: timed out' in titles_of(record)
    assert {"waiting", "order-4", "order-5", "waits for a connection"} <= set(words_of(record))


def test_redis_has_lanes_after_sql() -> None:
    lanes = [word for word in words_of(SAMPLES["pubsub"]) if re.fullmatch(r"(Redis )?connection \d", word)]

    assert lanes == ["connection 1", "Redis connection 2", "Redis connection 3"]


def test_a_cancelled_task_and_a_running_statement_have_their_signs() -> None:
    assert {"task cancelled", "a statement runs"} <= set(words_of(SAMPLES["cancelled"]))


def test_what_hooks_and_notes_both_tell_is_one_sign() -> None:
    build = Build()
    task = build.task("t", build.loop())
    connection = build.connection(build.pool(disposed=9 * MS), task, 1 * MS, closed=9 * MS, end="closed")
    build.mark(1 * MS + 3, "opened", connection=connection)
    build.mark(9 * MS + 80, "disposed", pool=connection.pool)
    build.mark(9 * MS + 2, "closed", connection=connection)
    build.mark(12 * MS, "detached", connection=connection)
    [lane] = timeline(build.done(20 * MS)).pictures[0].lanes

    assert [sign.shape for sign in lane.signs] == ["opened", "closed", "disposed", "other"]


def test_every_sign_has_a_shape_of_its_own() -> None:
    build = Build()
    task = build.task("t", build.loop())
    connection = build.connection(build.pool(), task, 1 * MS)
    for place, what in enumerate(["closed", "killed", "disposed", "cancelled", "collected", "fork"], start=2):
        build.mark(place * 10 * MS, what, connection=connection)
    build.incident(Kind.STALE, 90 * MS, task, connection=connection)
    drawn = drawing(build.done(100 * MS))
    signs = [
        group for group in drawn.iter(f"{SVG}g") if group.attrib.get("transform") and group.findtext(f"{SVG}title")
    ]
    shapes = {ET.tostring(sign[1]) for sign in signs}

    assert len(shapes) == len(MEANINGS)


def test_two_tasks_on_one_connection_at_one_time_are_both_seen() -> None:
    build = Build()
    loop = build.loop()
    connection = build.connection(build.pool("sqlite+aiosqlite"), build.task("one", loop), 1 * MS)
    build.checkout(connection, build.record.tasks[0], 2 * MS, 60 * MS)
    build.checkout(connection, build.task("two", loop), 40 * MS, 90 * MS)

    assert {"one", "two"} <= set(words_of(build.done(100 * MS)))


def test_more_tasks_at_one_time_than_rows_are_counted() -> None:
    build = Build()
    loop, pool = build.loop(), build.pool()
    for number in range(9):
        task = build.task(f"t{number}", loop)
        build.incident(Kind.TIMED_OUT, (600 + number) * MS, task, pool=pool, waited=500 * MS)
    words = words_of(build.done(1_000 * MS))

    assert [f"t{number}" in words for number in range(5)] == [True] * 5
    assert "4 waits" in words


def test_many_signs_of_one_kind_at_one_place_are_counted() -> None:
    build = Build()
    task = build.task("t", build.loop())
    connection = build.connection(build.pool(), task, 1 * MS)
    for place in range(5):
        build.mark((400 + 3 * place) * MS, "cancelled", connection=connection)
        build.mark((500 + 3 * place) * MS, "statement SELECT", connection=connection, took=2 * MS)
    record = build.done(1_000 * MS)

    assert "5 times" in words_of(record)
    assert "5 times task cancelled, first cancelled, at 0.400 s" in titles_of(record)
    assert re.findall(r"0\.498 s  0\.512 s  a statement runs", timeline(record).text())


@pytest.mark.parametrize("name", ["busy", "pubsub"])
def test_merged_bars_say_how_many_they_are_and_lose_none(name: str) -> None:
    drawn = timeline(SAMPLES[name])

    assert sum(bar.count for lane in drawn.pictures[0].lanes for bar in lane.bars) == len(SAMPLES[name].checkouts)
    assert "Neighbouring short checkouts are drawn as one bar, which says how many they are." in drawn.svg


def test_what_was_never_returned_is_never_merged_away() -> None:
    assert "client-04, still held" in words_of(SAMPLES["busy"])


def test_more_connections_than_lanes_share_the_last_and_it_says_so() -> None:
    record = records.busy(5_000, 200)
    drawn = timeline(record)

    assert len(drawn.pictures[0].lanes) == 40
    assert "161 connections share the lane “161 more”: no more than 40 are drawn." in drawn.svg
    assert "client-04, still held" in drawn.svg


def test_a_long_silence_is_shown_as_squeezed() -> None:
    assert "59 min pass" in words_of(SAMPLES["gap"])


@pytest.mark.push
@pytest.mark.parametrize(("connections", "tasks"), [(10, 200), (10_000, 10_000), (300, 5)])
def test_twenty_thousand_events_fit_in_a_megabyte_and_half_a_second(connections: int, tasks: int) -> None:
    record = records.busy(10_000, connections, tasks)
    spent = []
    for _ in range(3):
        began = time.process_time()
        report_text(record, [])
        spent.append(time.process_time() - began)

    assert len(timeline(record).svg.encode()) <= 1_000_000
    assert min(spent) <= 0.5


@pytest.mark.parametrize("name", SAMPLES)
def test_a_saved_record_gives_the_same_bytes(name: str) -> None:
    assert timeline(load(dump(SAMPLES[name]))).svg == timeline(SAMPLES[name]).svg


@pytest.mark.push
def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import sys; from labkit.recorder.json_format import load; from labkit.recorder.report import page;"
        "sys.stdout.buffer.write(page(load(sys.stdin.read()), []).encode())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=dump(SAMPLES["busy"]).encode(),
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(made) == 1


def test_broken_and_fixed_stand_on_one_scale_with_the_same_colours() -> None:
    both = beside(SAMPLES["story"], records.fixed(), ("broken", "fixed"))
    alone = timeline(SAMPLES["story"])
    fills = [
        group.find(f"{SVG}rect").attrib["fill"]  # type: ignore[union-attr]
        for group in ET.fromstring(both.svg).iter(f"{SVG}g")
        if group.findtext(f"{SVG}text") == "signup"
    ]

    assert both.svg.index(">broken<") < both.svg.index(">fixed<")
    assert both.scale(52 * MS) == alone.scale(52 * MS)
    assert len(fills) == 3
    assert len(set(fills)) == 1
    assert both.text().startswith("broken\n")


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("fill", "ink"), [*PALETTE, GREY])
def test_names_can_be_read_on_their_bars(fill: str, ink: str) -> None:
    assert contrast(fill, ink) >= 4.5


def test_words_can_be_read_on_a_light_and_on_a_dark_page() -> None:
    dark = dict(re.findall(r"\.lk-flight \.(\w)\{fill:(#\w+)", STYLE))

    assert contrast("#ffffff", "#57606a") >= 4.5
    assert contrast(dark["p"], dark["i"]) >= 7
    assert contrast(dark["p"], dark["d"]) >= 4.5


def test_a_notebook_shows_the_drawing_and_text_beside_it() -> None:
    drawn = timeline(SAMPLES["clean"])

    assert drawn._repr_html_() == drawn._repr_mimebundle_()["text/html"] == drawn.svg
    assert repr(drawn) == drawn._repr_mimebundle_()["text/plain"] == drawn.text()
