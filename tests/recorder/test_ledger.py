"""What the ledger writes down: numbers that are never used again, bounded stores, and whose work it is."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.recorder import attribution
from labkit.recorder import ledger as ledgers
from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Checkout, Connection, Kind, Pool, Task


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger(20, "pool")
    made.recording = True
    return made


@pytest.fixture
def accounts() -> Iterator[None]:
    attribution.begin()
    yield
    attribution.end()


def checkout(ledger: Ledger) -> Checkout:
    task = ledger.task()
    pool = Pool(ledger.number(Pool), "sqlite", "sqlite", 0, 0)
    connection = Connection(ledger.number(Connection), pool, task, pid=1, opened=0, place=0)
    return ledger.begin(connection, 0)


def test_numbers_begin_at_one_for_each_kind(ledger: Ledger) -> None:
    assert [ledger.number(Task), ledger.number(Task), ledger.number(Pool)] == [1, 2, 1]


def test_time_is_in_microseconds_since_the_beginning(ledger: Ledger) -> None:
    assert ledger.moment(ledger._zero + 2_500_999) == 2_500
    assert 0 <= ledger.now() <= ledger.now()


def test_traffic_pushes_out_traffic_and_never_what_is_out_or_went_wrong(ledger: Ledger) -> None:
    held = checkout(ledger)
    ledger.incident(Kind.STALE, 0)
    for _ in range(50):
        ledger.end(checkout(ledger), "returned")
        ledger.mark("opened")
    assert (len(ledger.done), len(ledger.marks)) == (10, 10)
    assert list(ledger.out.values()) == [held]
    assert len(ledger.incidents) == 1
    assert ledger.counts.forgotten == 2 * 40 + 40


def test_a_checkout_ends_once(ledger: Ledger) -> None:
    taken = checkout(ledger)
    ledger.end(taken, "returned")
    ledger.end(taken, "collected")
    assert (ledger.counts.checkins, len(ledger.done), ledger.out) == (1, 1, {})


def test_who_returned_it_is_said_only_when_it_was_another(ledger: Ledger) -> None:
    taken, lent = checkout(ledger), checkout(ledger)
    other = Task(99, "other", None, "other")
    ledger.end(taken, "returned", taken.task)
    ledger.end(lent, "returned", other)
    assert (taken.by, lent.by) == (None, other)


def test_the_oldest_incidents_go_when_there_are_too_many(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "INCIDENTS", 3)
    small = Ledger(20, "pool")
    for _ in range(5):
        small.incident(Kind.STALE, 0)
    assert [incident.number for incident in small.incidents] == [3, 4, 5]
    assert small.counts.by_kind == {"stale": 5}


def test_the_oldest_builders_go_when_there_are_too_many(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "BUILDERS", 3)
    for url in "abcda":
        ledger.builder("engine", 0, url)
    assert [key[2] for key in ledger._builders] == ["c", "d", "a"]


def test_a_line_that_builds_again_is_counted_for_each_key(ledger: Ledger) -> None:
    assert [ledger.builder("engine", 0, url).built for url in "aabab"] == [1, 2, 1, 3, 2]


def test_a_task_has_one_note_and_keeps_its_name(ledger: Ledger) -> None:
    async def main() -> None:
        task: Any = asyncio.current_task()
        entry = ledger.task()
        assert ledger.task() is ledger.entry_of(task) is ledger.meet(task) is entry
        assert ledger.task_of(entry) is task
        assert str(entry) == 'task "main"'
        assert (entry.name, entry.coroutine) == ("main", "test_a_task_has_one_note_and_keeps_its_name.main")

    async def named() -> None:
        await asyncio.create_task(main(), name="main")

    asyncio.run(named())


@pytest.mark.parametrize(("how", "end"), [("return", "finished"), ("raise", "failed"), ("cancel", "cancelled")])
def test_a_task_ends_in_one_of_three_ways(ledger: Ledger, how: str, end: str) -> None:
    async def work() -> Task:
        entry = ledger.task()
        entries.append(entry)
        if how == "raise":
            raise KeyError
        if how == "cancel":
            await asyncio.Event().wait()
        return entry

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() or task.result()

    entries: list[Task] = []
    asyncio.run(main())
    assert entries[0].end == end
    assert entries[0].ended is not None


def test_a_failure_that_nobody_retrieved_is_still_told_by_asyncio(ledger: Ledger) -> None:
    async def work() -> None:
        ledger.task()
        raise KeyError("never retrieved")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: heard.append(context["message"]))
        task = asyncio.create_task(work())
        await asyncio.wait([task])
        del task
        gc.collect()

    heard: list[str] = []
    asyncio.run(main())
    assert heard == ["Task exception was never retrieved"]


def test_after_the_end_a_task_is_not_followed(ledger: Ledger) -> None:
    async def main() -> Task:
        entry = ledger.task()
        ledger.recording = False
        return entry

    assert asyncio.run(main()).ended is None


def test_a_note_outlives_its_task(ledger: Ledger) -> None:
    async def main() -> Task:
        return ledger.task()

    entry = asyncio.run(main())
    gc.collect()
    assert ledger.task_of(entry) is None
    assert not ledger._objects


def test_outside_every_task_it_is_the_thread(ledger: Ledger) -> None:
    here = ledger.task()
    assert here is ledger.task()
    assert (str(here), here.loop) == (f"thread {threading.current_thread().name}", None)
    entries: list[Task] = []
    thread = threading.Thread(target=lambda: entries.append(ledger.task()), name="elsewhere")
    thread.start()
    thread.join()
    assert (entries[0].name, entries[0] is here) == ("elsewhere", False)


def test_in_a_callback_it_is_the_loop(ledger: Ledger) -> None:
    entries: list[Task] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            loop.call_soon(lambda: entries.append(ledger.task()))
        await asyncio.sleep(0)
        assert ledger.loop(loop) is entries[0].loop

    asyncio.run(main())
    assert entries[0] is entries[1]
    gc.collect()
    assert len(ledger._loops) == 0


def test_work_is_done_on_the_account_of_who_is_running(ledger: Ledger, accounts: None) -> None:
    attribution.run("first")
    one = ledger.task()
    attribution.run("second")
    other = ledger.task()
    assert [one.test, other.test, ledger.task() is other] == ["first", "second", True]


def test_a_fault_in_the_books_of_one_recorder_is_not_anothers() -> None:
    from labkit.recorder import patching

    class Trackers:
        def __init__(self) -> None:
            self.ledger = Ledger(20, "pool")

    good, bad = Trackers(), Trackers()

    def write(trackers: Any, what: str) -> None:
        if trackers is bad:
            raise KeyError(what)
        trackers.ledger.mark(what)

    hook = patching.hook(write)
    for trackers in (bad, good):
        patching.activate(trackers)
    try:
        hook("opened")
    finally:
        for trackers in (bad, good):
            patching.deactivate(trackers)
    assert (len(bad.ledger.faults), len(good.ledger.faults)) == (1, 0)
    assert [mark.what for mark in good.ledger.marks] == ["opened"]


def test_a_forked_child_begins_with_nothing(ledger: Ledger) -> None:
    checkout(ledger)
    ledger.mark("opened")
    ledger.incident(Kind.STALE, 0)
    ledger.forked()
    assert (ledger.out, list(ledger.marks), list(ledger.incidents)) == ({}, [], [])
    assert (ledger.counts.checkouts, ledger.connections) == (0, {})
