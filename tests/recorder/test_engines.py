"""An engine is known by the line that made it, through all its pools, until it is gone."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from labkit.recorder import FlightRecorder

from .aids import LEAKY, codes, fly, incidents

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")


async def use(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(ONE)


def test_an_engine_is_known_by_the_line_that_made_it(sqlite: str) -> None:
    async def main() -> None:
        engine = create_async_engine(sqlite)
        await use(engine)
        await engine.dispose()

    record = fly(main).record()
    [pool] = record.pools
    where = record.where(pool.place)
    assert where is not None
    assert where.function.endswith("main")
    assert (pool.kind, pool.disposed is not None) == ("sqlite+aiosqlite", True)


def test_an_engine_takes_every_option_while_it_is_recorded(sqlite: str) -> None:
    """SQLAlchemy reads off the parameters of `Engine.__init__`, which is patched, what `create_engine` takes."""
    options: dict[str, Any] = {
        "echo": False,
        "logging_name": "mine",
        "hide_parameters": True,
        "query_cache_size": 7,
    }

    async def main() -> str:
        engine = create_async_engine(sqlite, **options)
        await use(engine)
        await engine.dispose()
        return str(engine.sync_engine.logging_name)

    flight = fly(main)
    assert len(flight.record().pools) == 1


def test_two_engines_of_different_names_are_not_one_that_is_built_again(sqlite: str) -> None:
    kept = []

    async def main() -> None:
        for name in ("writes", "reads"):
            kept.append(create_async_engine(sqlite, logging_name=name))
            await use(kept[-1])

    assert codes(fly(main)) == ["engine-not-disposed"]  # and no registry-rebuilt; those of one line are one finding


def test_engines_built_again_and_again_and_dropped_are_one_finding(sqlite: str) -> None:
    async def handler() -> None:
        engine = create_async_engine(sqlite)
        await use(engine)

    async def main() -> None:
        for _ in range(3):
            await handler()
            gc.collect()

    [finding] = fly(main).findings()
    assert finding.code == "registry-rebuilt"
    assert "a new engine is built at test_engines.py:" in finding.summary
    assert {each.code for each in finding.consequences} == {"engine-not-disposed"}


def test_engines_built_again_and_again_and_disposed_of_are_no_fault(sqlite: str) -> None:
    async def main() -> None:
        for _ in range(3):
            engine = create_async_engine(sqlite)
            await use(engine)
            await engine.dispose()

    assert codes(fly(main)) == []


def test_engines_of_different_databases_are_built_once_each(tmp_path: Any) -> None:
    async def main() -> None:
        for name in "abc":
            await use(create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/{name}.db"))
        gc.collect()

    findings = fly(main).findings()
    assert {finding.code for finding in findings} == {"engine-not-disposed"}


@pytest.mark.parametrize("known", [True, False], ids=["made meanwhile", "made before"])
def test_an_engine_that_is_left_idle_at_the_end_of_its_loop_is_told_once(
    make_engine: MakeEngine, known: bool
) -> None:
    async def main() -> None:
        engine = before or make_engine()
        kept.append(engine)
        async with engine.connect(), engine.connect():
            pass

    kept: list[AsyncEngine] = []
    before = None if known else make_engine()
    flight = fly(main)
    assert incidents(flight) == ["idle at loop end", "idle at loop end"]
    [finding] = flight.findings()
    assert (finding.times, finding.where is not None) == (2, known)
    assert "lay idle in its pool when loop #1 closed" in finding.summary
    kept[0].sync_engine.dispose(close=False)


def test_an_engine_that_never_opened_a_connection_needs_no_disposal(make_engine: MakeEngine) -> None:
    async def main() -> None:
        make_engine()
        gc.collect()

    assert codes(fly(main)) == []


def test_an_old_pool_that_dies_takes_nothing_of_the_new_one(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        await engine.dispose()
        async with engine.connect():
            gc.collect()
        gc.collect()
        await engine.dispose()

    flight = fly(main)
    assert codes(flight) == []
    assert flight.statistics().open == 0


def test_an_engine_disposed_of_twice_is_disposed_of(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        await engine.dispose()
        await engine.dispose()

    flight = fly(main)
    assert [mark.what for mark in flight.record().marks].count("disposed") == 2


def test_an_engine_disposed_of_after_its_loop_was_not_disposed_of_in_time(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        kept.append(engine)

    kept: list[AsyncEngine] = []
    with FlightRecorder() as flight:
        asyncio.run(main())
        kept[0].sync_engine.dispose(close=False)
    [finding] = flight.findings()
    assert "was not disposed of: connection 1 lay idle in its pool when loop #1 closed" in finding.summary


def test_an_engine_that_lets_its_idle_connections_go_is_said_to(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        kept.append(engine.pool)  # it would be dropped
        await engine.dispose(close=False)

    kept: list[Any] = []
    [finding] = fly(main).findings()
    assert "was disposed of, and connection 1 was not closed with it: it lay idle when loop #1" in finding.summary


def test_the_end_of_an_unknown_engine_is_nothing(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        with FlightRecorder() as flight:
            await engine.dispose()
        assert (flight.events, codes(flight)) == ([], [])

    asyncio.run(main())


def test_engines_that_nobody_watches_leave_no_events(make_engine: MakeEngine) -> None:
    async def main() -> None:
        mine = make_engine()
        with FlightRecorder(mine) as flight:
            other = make_engine()
            await use(other)
            await other.dispose()
            del other
            gc.collect()
        assert (flight.events, codes(flight)) == ([], [])
        await mine.dispose()

    asyncio.run(main())
