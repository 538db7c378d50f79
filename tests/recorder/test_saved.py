"""A record as JSON is as good as the record, and anything else is refused in one line."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from labkit.errors import InvalidInput
from labkit.recorder import FlightRecorder, Record, find
from labkit.recorder.json_format import VERSION, dump, load
from labkit.recorder.snapshot import TABLES

from . import records
from .aids import LEAKY

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]

MADE: dict[str, Callable[[], Any]] = {
    name: getattr(records, name)
    for name in ("nothing", "clean", "story", "exhausted", "two_loops", "cancelled", "pubsub", "gap", "busy")
}


def made(name: str) -> Record:
    record = MADE[name]()
    return record[0] if isinstance(record, tuple) else record


@pytest.mark.parametrize("name", MADE)
def test_there_and_back_again_is_the_same(name: str) -> None:
    record = made(name)
    again = load(dump(record))
    assert dump(again) == dump(record)
    assert find(again) == find(record)
    assert again.events() == record.events()


@pytest.mark.parametrize("name", ["<script>", 'a"b', "a\nb", "ключ", "\udc80", "\x00", "x" * 10_000])
def test_names_that_would_do_harm_stay_names(name: str) -> None:
    record, _ = records.hostile(name)
    again = load(dump(record))
    assert again.tasks[0].name == again.program == name
    assert again.faults == [name]
    assert find(again) == find(record)


def test_a_live_record_gives_the_same_findings_when_it_is_read(make_engine: MakeEngine) -> None:
    async def main() -> None:
        kept.append(await make_engine().connect())

    kept: list[Any] = []
    with FlightRecorder() as flight:
        asyncio.run(main())
        text = flight.to_json(indent=2)
        assert find(load(text)) == flight.findings()
        kept.clear()
        gc.collect()
    assert text.startswith("{\n  ")


def test_the_version_is_written_down() -> None:
    assert json.loads(dump(Record()))["version"] == VERSION


def refused(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        load(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    return str(caught.value)


NO_RECORDS = [
    *("", "{", "null", "7", "[]", "{}", '"text"', "NaN", "[" * 100_000, "\x00", "<html>"),
    *('{"version": 1}', '{"version": null}', '{"version": "1\\n2"}', '{"version": [1]}'),
    '{"version": 1, "places": 7}',
]


@pytest.mark.parametrize("text", NO_RECORDS, ids=lambda text: text[:20] or "empty")
def test_what_is_no_record_is_refused(text: str) -> None:
    assert "this is not a record of the flight recorder" in refused(text)


@pytest.mark.parametrize("version", [0, VERSION + 1, -1])
def test_another_version_is_refused_by_its_number(version: int) -> None:
    plain = json.loads(dump(made("story")))
    plain["version"] = version
    assert f"this record has version {version}, and this labkit reads version 1" in refused(json.dumps(plain))


def test_a_record_cut_short_is_refused_wherever_it_was_cut() -> None:
    text = dump(made("story"))
    for length in range(0, len(text), 97):
        refused(text[:length])


def harmed() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the story's record with one thing after the other spoilt."""
    whole = json.loads(dump(made("story")))
    for key in whole:
        yield f"no {key}", {name: value for name, value in whole.items() if name != key}
        for wrong in ("text", [7], {"a": 1}):
            if type(whole[key]) is not type(wrong):
                yield f"{key} {wrong}", {**whole, key: wrong}
    for table in (*TABLES, "places"):
        for index in range(min(1, len(whole[table]))):
            for name in whole[table][index] if table != "places" else ():
                for wrong in ("text", 10_000, -1, [10_000], {"a": 1}):
                    other = copy.deepcopy(whole)
                    other[table][index][name] = wrong
                    yield f"{table}.{name} {wrong}", other
                other = copy.deepcopy(whole)
                del other[table][index][name]
                yield f"{table} without {name}", other
    for place in ([1, 1, "f"], ["f", "1", "f"], ["f", 1], ["f", 1, None], 7):
        yield f"place {place}", {**whole, "places": [*whole["places"], [place]]}


def test_a_record_that_was_spoilt_is_refused_or_read_to_its_end() -> None:
    refusals = 0
    for what, plain in harmed():
        text = json.dumps(plain)
        try:
            record = load(text)
        except InvalidInput:
            refusals += 1
            refused(text)
            continue
        assert find(record) is not None, what
        assert record.events() is not None, what
    assert refusals > 200
