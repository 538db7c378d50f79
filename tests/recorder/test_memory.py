"""A recorder keeps nothing alive, has a bound for everything, and may be called from a finaliser at any moment."""

from __future__ import annotations

import asyncio
import gc
import linecache
import threading
import tracemalloc
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import NullPool, QueuePool

import labkit.recorder
from labkit.recorder import FlightRecorder, activity, ledger
from labkit.recorder.hooks import factories, loops

from .aids import LEAKY, codes

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")


class Held:
    """Something in a frame: as long as it lives, the frame may."""


@pytest.fixture(autouse=True)
def nobody_keeps_what_threads_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of aiosqlite may outlive its loop; pytest would keep what it raises then, and with it the loop."""
    monkeypatch.setattr(threading, "excepthook", lambda args: None)


def collect() -> None:
    """Collect garbage; a thread of aiosqlite ends with its connection, and keeps its loop until then."""
    gc.collect()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            thread.join(10)
    gc.collect()


# Nothing is kept alive.


@pytest.mark.parametrize("level", ["pool", "statements"])
def test_what_findings_are_about_can_all_be_collected(make_engine: MakeEngine, redis_url: str, level: Any) -> None:
    gone: dict[str, weakref.ref[Any]] = {}

    def watch(**things: Any) -> None:
        gone.update({name: weakref.ref(thing) for name, thing in things.items()})

    async def work() -> None:
        held = Held()
        engine = make_engine()
        factory = async_sessionmaker(engine)
        registry = async_scoped_session(factory, asyncio.current_task)
        session, scoped = factory(), registry()
        connection, client = await engine.connect(), Redis.from_url(redis_url)
        await asyncio.gather(session.scalar(ONE), session.scalar(ONE), return_exceptions=True)
        await scoped.execute(text("CREATE TABLE IF NOT EXISTS t (n INTEGER)"))
        await scoped.execute(text("INSERT INTO t VALUES (1)"))
        leased = await client.connection_pool.get_connection()
        await client.get("x")
        watch(held=held, async_engine=engine, engine=engine.sync_engine, pool=engine.sync_engine.pool)
        watch(factory=factory, registry=registry, session=session, sync_session=session.sync_session, scoped=scoped)
        watch(connection=connection, sync_connection=connection.sync_connection)
        watch(client=client, redis_pool=client.connection_pool, redis_connection=leased)

    async def main() -> None:
        task = asyncio.create_task(work())
        watch(task=task, main=asyncio.current_task(), loop=asyncio.get_running_loop())
        await task

    with FlightRecorder(level=level) as flight:
        asyncio.run(main())
        collect()
        found = codes(flight)
        assert [name for name, reference in gone.items() if reference() is not None] == []
        assert found
        assert flight.record().faults == []
    assert len(gone) == 17


def test_a_recorder_that_nobody_has_any_more_is_collected_with_all_it_knows(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with FlightRecorder() as flight:
            async with AsyncSession(engine) as session:
                await session.execute(ONE)
            gone.append(weakref.ref(flight))
            gone.append(weakref.ref(flight._ledger))
            gone.append(weakref.ref(flight._trackers))
        del flight
        await engine.dispose()
        gc.collect()
        assert [each() for each in gone] == [None, None, None]

    gone: list[weakref.ref[Any]] = []
    asyncio.run(main())


# Everything has a bound.


def tables(flight: FlightRecorder) -> dict[str, int]:
    """Return the size of everything that grows: in the recorder, its books and the modules that keep something."""
    sizes = {
        "operations._SUBJECTS": len(activity._SUBJECTS),
        "factories._registries": len(factories._registries),
        "loops._watched": len(loops._watched),
        "finalizers": len(weakref.finalize._registry),  # type: ignore[attr-defined]
    }
    return {**sizes, **dict(_sizes("flight", flight, set()))}


def _sizes(name: str, thing: Any, seen: set[int]) -> Iterator[tuple[str, int]]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, (dict, list, set, deque, weakref.WeakKeyDictionary, weakref.WeakSet)):
        yield name, len(thing)
    elif type(thing).__module__.startswith("labkit.recorder") and hasattr(thing, "__dict__"):
        for attribute, value in vars(thing).items():
            yield from _sizes(f"{name}.{attribute}", value, seen)


def test_the_tables_are_found_wherever_they_are() -> None:
    names = set(tables(FlightRecorder()))
    assert {"flight._ledger.out", "flight._trackers.pools._out", "flight._ledger.places._stacks"} <= names
    assert {
        "flight._trackers.redis._leases",
        "flight._trackers.engines._pools",
        "flight._targets._engines",
    } <= names


async def _use(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session:
        await session.execute(ONE)


async def units(url: str, redis_url: str) -> None:
    engine = create_async_engine(url)
    for _ in range(20):
        await _use(engine)
    await engine.dispose()


async def tasks(url: str, redis_url: str) -> None:
    engine = create_async_engine(url)
    await asyncio.gather(*(asyncio.create_task(_use(engine), name=f"client {n}") for n in range(20)))
    await engine.dispose()


async def engines(url: str, redis_url: str) -> None:
    for number in range(10):
        engine = create_async_engine(f"{url}?cached_statements={number + 1}")
        await _use(engine)
        if number % 2:
            await engine.dispose()


async def registries(url: str, redis_url: str) -> None:
    engine = create_async_engine(url)
    for _ in range(10):
        registry = async_scoped_session(async_sessionmaker(engine), asyncio.current_task)
        await registry.execute(ONE)
        await registry.remove()
    await engine.dispose()


async def leaks(url: str, redis_url: str) -> None:
    engine = create_async_engine(url)
    for _ in range(5):
        connection = await engine.connect()
        await connection.execute(ONE)
        del connection
        gc.collect()
    await engine.dispose()


async def held_by_the_loop(url: str, redis_url: str) -> None:
    connection = await create_async_engine(url).connect()
    asyncio.current_task().held = connection.execute  # type: ignore[union-attr]


async def redis(url: str, redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    for _ in range(10):
        await client.get("x")
    async with client.pubsub() as subscription:
        await subscription.subscribe("news")
    await client.aclose()


async def threads(url: str, redis_url: str) -> None:
    def work() -> None:
        engine = create_engine("sqlite://")
        engine.connect().close()
        engine.dispose()

    for number in range(5):
        thread = threading.Thread(target=work, name=f"thread {number}")
        thread.start()
        thread.join()


async def texts(url: str, redis_url: str) -> None:
    """Code that is made anew each time, as templates and notebook cells are."""
    engine = create_engine("sqlite://", poolclass=NullPool)
    for number in range(30):
        exec(compile("engine.connect().close()", f"/srv/app/cell_{number}.py", "exec"), {"engine": engine})
    linecache.clearcache()


ROUNDS = [units, tasks, engines, registries, leaks, held_by_the_loop, redis, threads, texts]


@pytest.mark.push
@pytest.mark.parametrize("work", ROUNDS, ids=lambda work: work.__name__)
def test_no_table_grows_with_what_has_passed(
    work: Callable[[str, str], Coroutine[Any, Any, None]],
    sqlite: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger, "INCIDENTS", 4)
    monkeypatch.setattr(ledger, "BUILDERS", 4)
    monkeypatch.setattr(labkit.recorder.stacks, "CODES", 150)
    with FlightRecorder(events=10, level="statements") as flight:
        sizes = []
        for _ in range(2):
            for _ in range(6):
                asyncio.run(work(sqlite, redis_url))
            collect()
            sizes.append(tables(flight))
        assert {name: size for name, size in sizes[1].items() if size > sizes[0].get(name, 0)} == {}
        assert flight.statistics().out == 0
        assert flight.record().faults == []


@pytest.mark.push
def test_five_hundred_loops_leave_the_tables_as_they_were(sqlite: str, redis_url: str) -> None:
    with FlightRecorder(events=10) as flight:
        sizes = []
        for _ in range(2):
            for _ in range(250):
                asyncio.run(units_of_a_request(sqlite))
            collect()
            sizes.append(tables(flight))
        grown = {name: size for name, size in sizes[1].items() if size > sizes[0].get(name, 0)}
        assert grown == {}
    assert (flight.statistics().checkouts, flight.findings()) == (500, [])


async def units_of_a_request(url: str) -> None:
    engine = create_async_engine(url)
    await _use(engine)
    await engine.dispose()


@pytest.mark.push
def test_twenty_thousand_checkouts_need_no_more_memory_than_ten_thousand(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/soak.db", poolclass=QueuePool)
    own = tracemalloc.Filter(True, str(Path(labkit.recorder.__file__).parent / "*"))

    def soak() -> int:
        for _ in range(10_000):
            engine.pool.connect().close()
        gc.collect()
        statistics = tracemalloc.take_snapshot().filter_traces([own]).statistics("filename")
        return sum(each.size for each in statistics)

    with FlightRecorder(engine, events=200) as flight:
        tracemalloc.start()
        try:
            one, two = soak(), soak()
        finally:
            tracemalloc.stop()
        record = flight.record()
    # Numbers and times that outgrow Python's small integers, in a ring of 100 checkouts: some bytes for each.
    assert two - one < 100 * 40
    assert (len(record.checkouts), len(flight._ledger.out)) == (100, 0)
    assert flight.statistics().checkouts == 20_000
    assert flight.statistics().forgotten >= 2 * (20_000 - 100)
    engine.dispose()


# Finalisers.


async def drop(engine: AsyncEngine) -> None:
    """Leave a session that only the collector finds."""
    session = AsyncSession(engine)
    await session.execute(ONE)
    session.info["itself"] = session.sync_session


def test_the_collector_may_run_at_every_allocation(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine(pool_size=3)
        threshold = gc.get_threshold()
        gc.set_threshold(1, 1, 1)
        try:
            for _ in range(6):
                await drop(engine)
                await _use(engine)
        finally:
            gc.set_threshold(*threshold)
        gc.collect()
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    record = flight.record()
    assert flight.statistics().out == 0
    assert [checkout.end for checkout in record.checkouts].count("collected") == 6
    assert len(record.loops) == 1
    assert record.faults == []


def test_finalisers_of_several_threads_find_no_lock(make_engine: MakeEngine) -> None:
    def litter() -> None:
        start.wait()
        asyncio.run(main())

    async def main() -> None:
        engine = make_engine()
        for _ in range(15):
            await drop(engine)
            gc.collect(0)
            async with engine.connect():
                pass
        gc.collect()
        await engine.dispose()

    start = threading.Barrier(3)
    with FlightRecorder() as flight:
        threads = [threading.Thread(target=litter, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        gc.collect()
    assert flight.statistics().out == 0
    assert flight.statistics().checkouts == 3 * 30
    assert flight.record().faults == []


def test_a_record_can_be_taken_while_other_threads_write(tmp_path: Path) -> None:
    def work() -> None:
        engine = create_engine(f"sqlite:///{tmp_path}/busy.db")
        while not done.is_set():
            engine.connect().close()
        engine.dispose()

    done = threading.Event()
    with FlightRecorder(events=50) as flight:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(30):
                record = flight.record()
                assert all(record.where(checkout.place) for checkout in record.checkouts)
                flight.findings()
                flight.to_json()
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert flight.record().faults == []
