"""The ledger: everything one recorder has written down, bounded, and without keeping alive what it writes about."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

from labkit.recorder import attribution
from labkit.recorder.model import Checkout, Connection, Counts, Factory, Incident, Kind, Loop, Mark, Session, Task
from labkit.recorder.patching import guard
from labkit.recorder.stacks import Places, user_frame

__all__ = ["BUILDERS", "INCIDENTS", "Ledger"]

INCIDENTS = 2_000  # the oldest incidents go when there are more
BUILDERS = 2_000  # and so do the lines that built something, each in one loop or with one URL

_ledgers = itertools.count(1)
# What SQLAlchemy runs in its own task when an `async with` ends.
_HELPERS = {"AsyncSession.close", "AsyncConnection.close", "_AsyncSessionContextManager.__aexit__.<locals>.go"}
_running_loop: Callable[[], Any] = asyncio._get_running_loop  # None outside a loop, where the public one raises


class Ledger:
    """
    Entries about what happens, in four places.

    `out` holds the checkouts that have not ended, whatever their age; `done` the latest that have; `marks` the
    latest other moments; `incidents` what went wrong. So traffic can push out traffic, never a leak's origin.
    Hooks run in finalisers and in any thread: everything here is a single append, pop or dictionary operation, and
    there is no lock that a finaliser could find taken.
    """

    def __init__(self, events: int, level: str) -> None:
        self.key = f"labkit.flight.{next(_ledgers)}"  # under which entries lie in dictionaries of other libraries
        self.began = time.time()
        self.level = level
        self.recording = False
        self.places = Places()
        self.counts = Counts()
        self.faults: deque[str] = deque(maxlen=20)
        self.out: dict[int, Checkout] = {}
        self.done: deque[Checkout] = deque(maxlen=max(1, events // 2))
        self.marks: deque[Mark] = deque(maxlen=max(1, events // 2))
        self.incidents: deque[Incident] = deque(maxlen=INCIDENTS)
        self.connections: dict[int, Connection] = {}  # those that are open
        self.waiting: set[int] = set()  # tasks that wait for a pool
        self.pid = os.getpid()
        self._numbers: dict[type, itertools.count[int]] = {}
        self.met_loop: Callable[[Any], None] = lambda loop: None  # called with each loop that is new
        self._loops: weakref.WeakKeyDictionary[Any, Loop] = weakref.WeakKeyDictionary()
        self._met: dict[int, Task] = {}  # by the `id` of the task; an entry goes before its `id` is free again
        self._objects: dict[int, weakref.ref[Any]] = {}  # number of a task's entry: its task
        self._zero = time.perf_counter_ns()
        self._next_checkout = itertools.count(1).__next__
        self._outside: weakref.WeakKeyDictionary[Any, Task] = weakref.WeakKeyDictionary()  # by loop or thread
        self._builders: dict[tuple[Any, ...], Factory] = {}

    def now(self) -> int:
        """Return the time in microseconds since the recorder began."""
        return self.moment(time.perf_counter_ns())

    def moment(self, nanoseconds: int) -> int:
        """Return a reading of `time.perf_counter_ns` in microseconds since the recorder began."""
        return (nanoseconds - self._zero) // 1000

    def number(self, kind: type) -> int:
        """Return the next number for a kind of entry."""
        numbers = self._numbers.get(kind)
        if numbers is None:
            numbers = self._numbers.setdefault(kind, itertools.count(1))
        return next(numbers)

    def here(self, frame: FrameType | None = None) -> int:
        """Return the place of the user's line that led to this call."""
        return self.places.capture(frame or user_frame(2))

    # Loops and tasks.

    def loop(self, loop: Any) -> Loop:
        """Return the entry of a loop."""
        entry = self._loops.get(loop)
        if entry is None:
            entry = Loop(self.number(Loop), seen=self.now(), thread=threading.current_thread().name)
            entry = self._loops.setdefault(loop, entry)
            self.met_loop(loop)
        return entry

    def task(self) -> Task:
        """Return the entry of the running task; outside every task, of the running thread."""
        loop = _running_loop()
        task = asyncio.current_task(loop) if loop is not None else None
        owner = attribution.owner_of(task) if attribution.kept else None
        if task is None:
            return self._outside_tasks(loop, owner)
        entry = self._met.get(id(task))
        return entry if entry is not None and entry.test == owner else self._meet(task, loop, owner)

    def closer(self) -> Task | None:
        """Return the entry of the running task; None when SQLAlchemy itself runs it, to end an `async with`."""
        loop = _running_loop()
        task: Any = asyncio.current_task(loop) if loop is not None else None
        known = task is None or id(task) in self._met
        return self.task() if known or task.get_coro().__qualname__ not in _HELPERS else None

    def entry_of(self, task: Any) -> Task | None:
        """Return the entry of a task, if it was met."""
        return self._met.get(id(task))

    def meet(self, task: Any) -> Task:
        """Return the entry of a task that did nothing worth an entry until now."""
        return self._met.get(id(task)) or self._meet(task, task.get_loop(), attribution.owner_of(task))

    def task_of(self, entry: Task) -> Any:
        """Return the task that an entry is about; None when it is gone."""
        reference = self._objects.get(entry.number)
        return reference() if reference else None

    def _meet(self, task: Any, loop: Any, owner: str | None) -> Task:
        coroutine = task.get_coro()
        name = getattr(coroutine, "__qualname__", type(coroutine).__name__)
        entry = Task(
            self.number(Task),
            name=task.get_name(),
            loop=self.loop(loop),
            thread=threading.current_thread().name,
            coroutine=sys.intern(name.replace("<locals>.", "")),
            test=owner,
        )
        number, objects, met, key = entry.number, self._objects, self._met, id(task)

        def gone(_: Any) -> None:
            objects.pop(number, None)
            if met.get(key) is entry:
                del met[key]

        met[key] = entry
        objects[number] = weakref.ref(task, gone)
        task.add_done_callback(_TaskEnd(self, entry))
        return entry

    def _outside_tasks(self, loop: Any, owner: str | None) -> Task:
        thread = threading.current_thread()
        running = loop if loop is not None else thread
        entry = self._outside.get(running)
        if entry is None or entry.test != owner or entry.thread != thread.name:
            its_loop = self.loop(loop) if loop is not None else None
            entry = Task(self.number(Task), thread.name, loop=its_loop, thread=thread.name, test=owner)
            self._outside[running] = entry
        return entry

    # Things that happen.

    def incident(self, kind: Kind, place: int, **about: Any) -> Incident:
        """Write down something that went wrong."""
        about.setdefault("task", self.task())
        incident = Incident(self.number(Incident), kind, self.now(), place=place, **about)
        self.incidents.append(incident)
        self.counts.by_kind[kind] = self.counts.by_kind.get(kind, 0) + 1
        return incident

    def mark(self, what: str, **about: Any) -> None:
        """Write down a moment."""
        self.counts.forgotten += len(self.marks) == self.marks.maxlen
        self.marks.append(Mark(self.number(Mark), self.now(), what, **about))

    def begin(self, connection: Connection, place: int, session: Session | None = None) -> Checkout:
        """Write down that the running task has a connection, and keep that until it ends."""
        at = (time.perf_counter_ns() - self._zero) // 1000
        number = self._next_checkout()
        checkout = self.out[number] = Checkout(number, connection, self.task(), place, at, session)
        connection.checkouts += 1
        self.counts.checkouts += 1
        return checkout

    def end(self, checkout: Checkout, how: str, by: Task | None = None) -> None:
        """End a checkout: from now on it is traffic."""
        checkout.until = (time.perf_counter_ns() - self._zero) // 1000
        checkout.end = how
        if by is not checkout.task:
            checkout.by = by
        if self.out.pop(checkout.number, None) is not None:
            self.counts.checkins += how == "returned"
            self.counts.forgotten += 2 * (len(self.done) == self.done.maxlen)
            self.done.append(checkout)

    def builder(self, kind: str, place: int, *key: Any) -> Factory:
        """Return the entry of the line that has just built one more engine, factory or registry."""
        line = self.places.innermost(place)
        entry = self._builders.get((kind, line, *key))
        if entry is None:
            entry = self._builders[kind, line, *key] = Factory(self.number(Factory), kind, place)
            if len(self._builders) > BUILDERS:
                self._builders.pop(next(iter(self._builders)), None)
        entry.built += 1
        return entry

    def fault(self, hook: str, error: Exception) -> None:
        """Write down that a hook failed; the user's code never hears of it."""
        trace, where = error.__traceback__, ""
        while trace is not None:
            where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
            trace = trace.tb_next
        self.faults.append(f"{hook}: {type(error).__name__} at {where}")

    def forked(self) -> None:
        """Begin anew in a forked child: what the parent holds is the parent's to report."""
        self.pid = os.getpid()
        for store in (self.out, self.done, self.marks, self.incidents, self.connections):
            store.clear()
        self.counts = Counts()


class _TaskEnd:
    """Writes down how a task ended."""

    def __init__(self, ledger: Ledger, entry: Task) -> None:
        self._ledger = weakref.ref(ledger)
        self._entry = entry

    def __call__(self, task: Any) -> None:
        """Be told by the loop that a task is done."""
        ledger, entry = self._ledger(), self._entry
        if ledger is None or not ledger.recording or sys.is_finalizing():
            return
        with guard("task_ended", ledger):
            entry.ended = ledger.now()
            if task.cancelled():
                entry.end = "cancelled"
            else:
                # Reading `task.exception()` would silence asyncio's "never retrieved".
                entry.end = "failed" if getattr(task, "_exception", None) is not None else "finished"
