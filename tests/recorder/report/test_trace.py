"""A trace is what the viewers of the Trace Event Format read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labkit.recorder.report import trace
from labkit.recorder.snapshot import Record

from .. import records
from ..records import MS, Build
from .trace_format import complaints

SAMPLES = {
    "nothing": records.nothing(),
    "clean": records.clean(),
    "story": records.story()[0],
    "exhausted": records.exhausted()[0],
    "two loops": records.two_loops(),
    "cancelled": records.cancelled(),
    "pubsub": records.pubsub(),
    "busy": records.busy(),
}


def events_of(record: Record) -> list[dict[str, Any]]:
    return list(json.loads(trace(record))["traceEvents"])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_trace_keeps_the_rules_of_the_format(name: str) -> None:
    assert complaints(trace(SAMPLES[name])) == []


def test_a_connection_is_a_named_thread() -> None:
    names = {
        event["tid"]: event["args"]["name"]
        for event in events_of(SAMPLES["pubsub"])
        if "thread_name" in event["name"]
    }

    assert names == {
        0: "loops and waits",
        1: "connection 1, mysql+asyncmy",
        2: "Redis connection 2, redis",
        3: "Redis connection 3, redis",
    }


def test_a_checkout_is_a_slice_with_its_task_line_and_loop() -> None:
    [begins, _] = [event for event in events_of(SAMPLES["story"]) if event["name"].startswith("task Task-2")]

    assert (begins["ph"], begins["ts"], begins["tid"]) == ("b", 26 * MS, 2)
    assert begins["args"] == {
        "loop": "loop #1 (closed)",
        "checked out at": "engine.py:44 in count_users",
        "ended": "returned",
    }


def test_what_never_ended_is_shown_until_the_end_of_the_trace() -> None:
    record = SAMPLES["exhausted"]
    slices = [event for event in events_of(record) if event["name"] == 'task "order-1"']

    assert [(event["ph"], event["ts"]) for event in slices] == [("b", 130 * MS), ("e", record.taken)]
    assert slices[0]["args"]["unfinished"] is True


def test_a_checkout_of_a_connection_that_was_open_before_is_not_dropped() -> None:
    build = Build()
    task = build.task("early", build.loop(5 * MS))
    connection = build.connection(build.pool(), task, opened=9 * MS)
    build.checkout(connection, task, 2 * MS, 4 * MS)

    assert complaints(trace(build.done(10 * MS))) == []


def test_two_tasks_on_one_connection_at_one_time_do_not_cross() -> None:
    build = Build()
    loop = build.loop()
    one, two = build.task("one", loop), build.task("two", loop)
    connection = build.connection(build.pool("sqlite+aiosqlite"), one, 1 * MS)
    build.checkout(connection, one, 2 * MS, 6 * MS)
    build.checkout(connection, two, 4 * MS, 8 * MS)
    build.checkout(connection, one, 6 * MS, 6 * MS)
    record = build.done(10 * MS)

    assert complaints(trace(record)) == []
    assert len({event["id"] for event in events_of(record) if event.get("cat") == "connection"}) == 2


def test_a_wait_is_a_slice_of_its_own() -> None:
    waits = [event for event in events_of(SAMPLES["exhausted"]) if event.get("cat") == "wait"]

    assert [(event["ph"], event["ts"]) for event in waits] == [
        ("b", 640 * MS),
        ("b", 700 * MS),
        ("e", 2_640 * MS),
        ("e", 2_700 * MS),
    ]
    assert waits[0]["name"] == 'waits for a connection: task "order-4"'


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ts": -1}, "event 0: ts is a number of microseconds, not -1"),
        ({"ts": True}, "event 0: ts is a number of microseconds, not True"),
        ({"pid": "1"}, "event 0: pid is a int, not '1'"),
        ({"ph": "?"}, "event 0: the phase '?' is not known"),
        ({"ph": "b"}, "event 0: id is missing"),
        ({"s": "x"}, "event 0: the scope 'x' is not known"),
        ({"ph": "b", "id": "1"}, "a never ends"),
        ({"ph": "e", "id": "1"}, "a ends without a beginning"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_the_reader_finds_what_breaks_the_rules(change: dict[str, Any], complaint: str) -> None:
    named = {"ph": "M", "ts": 0, "name": "thread_name", "pid": 1, "tid": 1, "args": {"name": "t"}}
    event = {"ph": "i", "ts": 5, "name": "a", "cat": "c", "s": "t", "pid": 1, "tid": 1, **change}

    text = json.dumps({"displayTimeUnit": "ms", "traceEvents": [event, named]})

    assert complaint in complaints(text)


def test_the_reader_wants_the_order_of_time_and_proper_nesting() -> None:
    both = {"cat": "c", "id": "1", "pid": 1, "tid": 1}
    events = [
        {"ph": "M", "ts": 0, "name": "thread_name", "pid": 1, "tid": 1, "args": {"name": "t"}},
        {"ph": "b", "ts": 1, "name": "outer", **both},
        {"ph": "b", "ts": 2, "name": "inner", **both},
        {"ph": "e", "ts": 4, "name": "outer", **both},
        {"ph": "e", "ts": 3, "name": "inner", **both},
    ]

    assert complaints(json.dumps({"displayTimeUnit": "ms", "traceEvents": events})) == [
        "events are in the order of time",
        "outer ends while inner is open",
        "inner ends while outer is open",
    ]
