"""The table has a row for each checkout, and says what it leaves out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from labkit.recorder.report import table
from labkit.recorder.sanitize import width

from ..records import busy, exhausted, hostile, nothing, pubsub, story


def test_a_row_says_who_where_how_long_and_how_it_ended() -> None:
    lines = str(table(story()[0])).splitlines()

    assert re.split(" {2,}", lines[0]) == ["connection", "task", "loop", "checked out at", "from", "for", "ended"]
    assert re.split(" {2,}", lines[1]) == [
        "connection 1",
        'task "signup"',
        "loop #1 (closed)",
        "engine.py:31 in session",
        "0.012 s",
        "59 ms",
        "taken back by the garbage collector",
    ]


def test_a_row_says_where_the_holder_waits_now() -> None:
    [row, *_] = table(exhausted()[0]).rows

    assert (row.end, row.waits) == ("still held", "orders.py:80 in call_partner")


def test_redis_stands_beside_sql() -> None:
    assert {row.connection for row in table(pubsub()).rows} == {
        "connection 1",
        "Redis connection 2",
        "Redis connection 3",
    }


def test_rows_are_all_there_and_in_the_order_of_time() -> None:
    made = table(busy())

    assert len(made) == len(made.rows) == 247
    assert [row.since for row in made.rows] == sorted(row.since for row in made.rows)


def test_a_long_table_shows_what_did_not_end_well_and_says_how_to_see_the_rest() -> None:
    lines = str(table(busy())).splitlines()

    assert len(lines) == 102
    assert sum("still held" in line for line in lines) == 1
    assert lines[-1] == (
        "100 of 247 rows shown: 1 row that did not end with a return, and the newest. "
        "All of them: print(table.text(limit=None))"
    )
    assert len(table(busy()).text(limit=None).splitlines()) == 248


def test_every_row_in_html_has_as_many_cells_as_there_are_heads() -> None:
    cells: list[str] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: cells.append(tag)  # type: ignore[method-assign]
    reader.feed(table(busy())._repr_html_())

    assert cells.count("tr") == 101
    assert cells.count("td") == 100 * cells.count("th")


def test_wide_letters_keep_the_columns_straight() -> None:
    lines = table(hostile("日本")[0]).text().splitlines()
    places = {width(line[: line.index("loop")]) for line in lines[:2]}

    assert len(places) == 1


def test_no_checkouts_is_said() -> None:
    assert str(table(nothing())) == repr(table(nothing())) == "no checkouts"
    assert table(nothing())._repr_html_() == "<p>no checkouts</p>"
