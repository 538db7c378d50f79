"""A record is complete in itself: copied once, in the order of its numbers, and read in plain words."""

from __future__ import annotations

from labkit.recorder import Place, Record
from labkit.recorder.model import Checkout, Connection, Kind, Loop, Pool, Session, Task

from .records import MS, Build, clean, story


def test_a_place_says_file_line_and_function() -> None:
    assert str(Place("/srv/shop.py", 41, "save_user")) == "shop.py:41 in save_user"
    assert str(Place("", 1, "f")) == "?:1 in f"


def test_the_history_is_in_the_order_of_time() -> None:
    events = clean().events()
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert [event.what for event in events[:2]] == ["checkout", "checkin"]
    assert (events[0].connection, events[0].task, events[0].loop) == (1, "Task-1", 1)
    assert events[0].place == "engine.py:18 in save_user"


def test_a_checkout_that_did_not_come_back_says_how_it_ended() -> None:
    record, _ = story()
    assert "checkout collected" in [event.what for event in record.events()]


def test_a_mark_is_an_event_of_its_loop_or_its_tasks() -> None:
    build = Build()
    loop, other = build.loop(0), build.loop(1)
    task = build.task("t", loop)
    build.mark(1, "opened", task=task)
    build.mark(2, "loop closes", loop=other)
    build.mark(3, "closed")
    assert [(event.what, event.loop, event.task) for event in build.done(4).events()] == [
        ("opened", 1, "t"),
        ("loop closes", 2, ""),
        ("closed", None, ""),
    ]


def test_holders_are_what_has_not_ended() -> None:
    record, _ = story()
    assert record.holders() == []
    record.checkouts[0].until = None
    assert record.holders() == [record.checkouts[0]]


def test_notes_are_copied_once_with_all_that_they_mention() -> None:
    loop = Loop(1, 0, "MainThread")
    task = Task(2, "t", loop, "MainThread")
    connection = Connection(3, Pool(4, "sqlite", "sqlite", 0, 0), task, 1, 0, 0)
    session = Session(5, "session", task, 0)
    checkouts = [Checkout(number, connection, task, 0, number * MS, session) for number in (7, 6)]
    record = Record()
    record.add_all([*checkouts, connection])
    assert [checkout.number for checkout in record.checkouts] == [6, 7]
    [copy] = record.tasks
    assert copy is not task
    assert all(checkout.task is copy for checkout in record.checkouts)
    assert record.connections[0].task is copy
    assert (len(record.loops), len(record.pools), len(record.sessions)) == (1, 1, 1)
    task.name = "another"
    assert copy.name == "t"


def test_holders_of_an_incident_are_copied_too() -> None:
    build = Build()
    task = build.task("t", None)
    held = build.checkout(build.connection(build.pool(), task, 0), task, 1)
    incident = build.incident(Kind.TIMED_OUT, 5, task, holders=(held,))
    record = Record()
    record.add_all([incident])
    assert record.incidents[0].holders == (record.checkouts[0],)
    assert record.checkouts[0] is not held


def test_a_place_without_a_line_is_nowhere() -> None:
    record = Record()
    assert (record.stack(0), record.where(0)) == ([], None)
