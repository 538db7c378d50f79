"""What the flight recorder keeps: bytes for each event, no more with time, and nothing alive; and its report."""

from __future__ import annotations

import asyncio
import gc
import itertools
import resource
import time
import tracemalloc
import warnings
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from recorder_stub import stub_engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from labkit.recorder import FlightRecorder, find
from labkit.recorder.hooks import pools
from labkit.recorder.report import table, timeline

__all__ = [
    "Flat",
    "Reported",
    "bytes_per_event",
    "bytes_per_real_event",
    "flat",
    "kept_alive",
    "one_event",
    "real",
    "report",
]

Work = Callable[[Any, Any, Any], object]
Advance = Callable[[float], object]


def in_a_greenlet(work: Work) -> Any:
    """Return what `work(dbapi, record, fairy)` returns, called where hooks are called: in SQLAlchemy's greenlet."""

    def called(connection: Any) -> Any:
        fairy = connection.connection
        record = fairy._connection_record
        pools.checkin(fairy.dbapi_connection, record)  # what the pool has told; `work` begins from the start
        result = work(fairy.dbapi_connection, record, fairy)
        pools.checkout(fairy.dbapi_connection, record, fairy)
        return result

    async def main() -> Any:
        engine = stub_engine()
        async with engine.connect() as connection:
            result = await connection.run_sync(called)
        await engine.dispose()
        return result

    return asyncio.run(main())


def hooks(count: int) -> Work:
    """Return work that tells the recorder of `count` checkouts and checkins of one real connection."""

    def tell(dbapi: Any, record: Any, fairy: Any) -> float:
        checkout, checkin = pools.checkout, pools.checkin
        began = time.process_time()
        for _ in range(count):
            checkout(dbapi, record, fairy)
            checkin(dbapi, record)
        return (time.process_time() - began) / (2 * count)

    return tell


def one_event() -> float:
    """Return the nanoseconds of one event with its stack: the mean of a checkout's hook and a checkin's."""
    with FlightRecorder():
        return 1e9 * min(in_a_greenlet(hooks(5_000)) for _ in range(9))


@contextmanager
def traced() -> Iterator[list[int]]:
    """Give the bytes that were allocated in the block and are still there."""
    grown: list[int] = []
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield grown
        gc.collect()
        grown.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()


def bytes_per_event(events: int) -> float:
    """Return what an event takes in a ring that holds them all, when they come from a task that goes on."""
    with FlightRecorder(events=2 * events) as flight:
        in_a_greenlet(hooks(100))
        with traced() as grown:
            in_a_greenlet(hooks(events // 2))
        assert flight.statistics().forgotten == 0
    return grown[0] / events


def bytes_per_real_event(events: int) -> float:
    """Return what an event takes when each checkout has a session and its own task, as in a web server."""

    async def request(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.connection()

    async def main(count: int) -> None:
        engine = stub_engine()
        for _ in range(count):
            await asyncio.create_task(request(engine))
        await engine.dispose()

    with FlightRecorder(events=2 * events) as flight:
        asyncio.run(main(100))
        with traced() as grown:
            asyncio.run(main(events // 2))
        assert flight.statistics().forgotten == 0
    return grown[0] / events


@dataclass(frozen=True)
class Flat:
    """How the memory of the process changed while events came, after the ring was full."""

    events: int
    mebibytes: float
    seconds: float


def flat(events: int, advance: Advance) -> Flat:
    """Tell the recorder of many events through its hooks, with a real connection, record and fairy."""
    part = events // 200

    def tell(dbapi: Any, record: Any, fairy: Any) -> tuple[float, float]:
        hooks(events // 50)(dbapi, record, fairy)
        before, began = resident(), time.perf_counter()
        for _ in range(100):
            hooks(part)(dbapi, record, fairy)
            advance(2 * part)
        return resident() - before, time.perf_counter() - began

    with FlightRecorder():
        grown, seconds = in_a_greenlet(tell)
    return Flat(200 * part, grown, seconds)


async def real(seconds: float, work: Callable[[int], Awaitable[object]], advance: Advance) -> Flat:
    """Do real work for so many seconds, recorded, after as much of it as fills the ring."""
    with FlightRecorder() as flight:
        for i in range(12_000):
            await work(i)
        before, began, already = resident(), time.perf_counter(), flight.statistics().checkouts
        while (spent := time.perf_counter() - began) < seconds:
            for i in range(100):
                await work(i)
            advance(time.perf_counter() - began - spent)
        done = flight.statistics().checkouts - already
        return Flat(2 * done, resident() - before, spent)


def resident() -> float:
    """Return the mebibytes that the process has now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


class Held:
    """Something in a task's frame: as long as it lives, the frame may."""


def kept_alive(loops: int, tasks: int, checkouts: int, advance: Advance) -> dict[str, int]:
    """Record many checkouts, a new engine in each loop; return how many of each thing were kept alive."""
    born: dict[str, list[weakref.ref[Any]]] = {}

    def bear(what: str, thing: Any) -> None:
        born.setdefault(what, []).append(weakref.ref(thing))

    async def work(engine: AsyncEngine) -> None:
        frame = Held()
        bear("frame", frame)
        bear("task", asyncio.current_task())
        async with AsyncSession(engine) as session:
            bear("session", session.sync_session)
            await session.connection()
        for _ in range(checkouts - 1):
            engine.sync_engine.raw_connection().close()

    async def main() -> None:
        engine = stub_engine()
        bear("engine", engine.sync_engine)
        bear("pool", engine.sync_engine.pool)
        bear("loop", asyncio.get_running_loop())
        await asyncio.gather(*(work(engine) for _ in range(tasks)))
        await engine.dispose()

    with FlightRecorder() as flight:
        for _ in range(loops):
            asyncio.run(main())
            advance(tasks * checkouts)
        gc.collect()
        assert flight.statistics().checkouts == loops * tasks * checkouts
        return {what: sum(each() is not None for each in things) for what, things in born.items()}


@dataclass(frozen=True)
class Reported:
    """A report of a full ring, and its parts."""

    events: int
    record: float
    findings: float
    table: float
    svg: int

    @property
    def seconds(self) -> float:
        return self.record + self.findings + self.table


def report(events: int) -> Reported:
    """Fill the ring with what ten tasks did, leave three connections unreturned; report it, the best of five."""
    kept: list[AsyncConnection] = []

    async def work(engine: AsyncEngine, count: int) -> None:
        for _ in range(count):
            async with AsyncSession(engine) as session:
                await session.connection()

    async def main() -> None:
        engine = stub_engine(pool_size=10)
        await asyncio.gather(*(work(engine, events // 20 + 100) for _ in range(10)))
        kept.extend([await engine.connect() for _ in range(3)])

    with FlightRecorder(events=events) as flight, warnings.catch_warnings(action="ignore"):
        asyncio.run(main())
        try:
            return min((_reported(flight) for _ in range(5)), key=lambda each: each.seconds)
        finally:
            kept.clear()
            gc.collect()


def _reported(flight: FlightRecorder) -> Reported:
    times = [time.perf_counter()]
    record = flight.record()
    times.append(time.perf_counter())
    findings = find(record)
    times.append(time.perf_counter())
    assert findings
    assert len(str(table(record))) > 100
    times.append(time.perf_counter())
    parts = [after - before for before, after in itertools.pairwise(times)]
    return Reported(len(record.events()), *parts, svg=len(timeline(record).svg.encode()))
