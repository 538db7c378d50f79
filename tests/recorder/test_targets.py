"""What a recorder watches: everything, or what it was given."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import redis as sync_redis
from redis.asyncio import Redis
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from labkit.errors import InvalidInput
from labkit.recorder import FlightRecorder

MakeEngine = Callable[..., AsyncEngine]


async def checkouts(flight: FlightRecorder, engine: AsyncEngine) -> int:
    """Use an engine once; return how many checkouts the recorder has seen."""
    async with engine.connect():
        return flight.statistics().checkouts


def test_attaching_twice_attaches_once(make_engine: MakeEngine) -> None:
    engine = make_engine()
    flight = FlightRecorder()
    assert [flight.attach(engine), flight.attach(engine)] == [True, False]
    assert [flight.detach(engine), flight.detach(engine)] == [True, False]


def test_a_target_may_be_given_in_each_of_its_forms(make_engine: MakeEngine) -> None:
    engine = make_engine()
    flight = FlightRecorder(engine)
    assert not flight.attach(engine.sync_engine)
    assert not flight.attach(engine.execution_options(isolation_level="AUTOCOMMIT"))
    client = Redis(port=1)
    assert flight.attach(client)
    assert not flight.attach(client.connection_pool)
    assert flight.detach(client)


async def test_without_its_last_target_a_recorder_watches_nothing(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with FlightRecorder(engine) as flight:
        assert await checkouts(flight, engine) == 1
        flight.detach(engine)
        assert await checkouts(flight, engine) == 1
        flight.attach(engine)
        assert await checkouts(flight, engine) == 2
    await engine.dispose()


async def test_detaching_what_was_never_attached_changes_nothing(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with FlightRecorder() as flight:
        assert not flight.detach(engine)
        assert await checkouts(flight, engine) == 1
    await engine.dispose()


async def test_a_target_may_be_attached_and_detached_in_another_thread(make_engine: MakeEngine) -> None:
    def in_thread(work: Callable[[], object]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    mine, other = make_engine(), make_engine()
    with FlightRecorder() as flight:
        in_thread(lambda: flight.attach(mine))
        assert [await checkouts(flight, mine), await checkouts(flight, other)] == [1, 1]
        in_thread(lambda: flight.detach(mine))
        assert await checkouts(flight, mine) == 1
    await mine.dispose()
    await other.dispose()


async def test_a_checkout_that_is_out_when_its_engine_is_detached_still_ends(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with FlightRecorder(engine) as flight:
        async with engine.connect():
            flight.detach(engine)
        assert (flight.holders(), flight.statistics().checkins) == ([], 1)
    await engine.dispose()
    assert flight.findings() == []


async def test_a_target_keeps_its_note_over_dispose(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with FlightRecorder() as flight:
        flight.attach(engine)
        assert await checkouts(flight, engine) == 1
        await engine.dispose()
        assert await checkouts(flight, engine) == 2
        flight.attach(engine)
        await engine.dispose()
    assert len(flight.record().pools) == 1
    assert flight.findings() == []


def test_an_engine_disposed_of_while_nobody_recorded_is_known_again(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        flight.start()
        flight.attach(engine)
        flight.stop()
        await engine.dispose()
        flight.start()
        flight.attach(engine)
        assert await checkouts(flight, engine) == 1
        await engine.dispose()

    flight = FlightRecorder()
    asyncio.run(main())
    flight.stop()
    assert len(flight.record().pools) == 1


def test_a_sync_engine_can_be_a_target() -> None:
    engine = create_engine("sqlite://")
    with FlightRecorder(engine) as flight, engine.connect():
        [holder] = flight.holders()
        assert holder.connection.pool.kind == "sqlite+pysqlite"
    assert flight.findings() == []
    engine.dispose()


def test_a_recorder_keeps_no_target_alive(make_engine: MakeEngine) -> None:
    engine, client = make_engine(), Redis(port=1)
    flight = FlightRecorder(engine, client)
    gone = [weakref.ref(engine.sync_engine), weakref.ref(client.connection_pool)]
    del engine, client
    gc.collect()
    assert [each() for each in gone] == [None, None]
    assert flight.findings() == []


@pytest.mark.parametrize(
    "nonsense",
    [None, 7, "sqlite://", object(), FlightRecorder(), Session(), AsyncSession(), sync_redis.Redis(port=1), dict],
    ids=lambda nonsense: type(nonsense).__name__,
)
def test_anything_else_is_refused_by_name(nonsense: Any) -> None:
    flight = FlightRecorder()
    for call in (flight.attach, flight.detach, FlightRecorder):
        with pytest.raises(InvalidInput, match=f"{type(nonsense).__name__} can't be recorded"):
            call(nonsense)
    assert flight._targets.everything


async def test_a_session_that_chooses_its_engine_is_its_engines(make_engine: MakeEngine) -> None:
    from sqlalchemy import text

    from .aids import Base, Entry

    engine = make_engine()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    with FlightRecorder(engine) as flight:
        async with AsyncSession(binds={Entry: engine}) as session:
            await session.get(Entry, 1)
            await session.execute(
                text("INSERT INTO recorder_notes VALUES (1, '')"), bind_arguments={"bind": engine.sync_engine}
            )
    assert [finding.code for finding in flight.findings()] == ["lost-write"]
    await engine.dispose()
