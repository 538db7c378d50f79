"""At the level `statements` each statement is timed; of its text there is its first word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import StaticPool

from labkit.recorder import FlightRecorder

from .aids import told

MakeEngine = Callable[..., AsyncEngine]


def marks(flight: FlightRecorder) -> list[str]:
    return [mark.what for mark in flight.record().marks if mark.what.startswith("statement")]


def test_each_statement_is_timed(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await connection.execute(text("CREATE TABLE t (n INTEGER)"))
            await connection.execute(text("INSERT INTO t VALUES (:n)"), [{"n": 1}, {"n": 2}])
        await engine.dispose()

    with FlightRecorder(level="statements") as flight:
        asyncio.run(main())
    assert marks(flight) == ["statement SELECT", "statement CREATE", "statement INSERT"]
    record = flight.record()
    assert record.counts.statements == 3
    assert all(mark.took >= 0 and mark.connection for mark in record.marks if mark.took)
    assert (record.level, "statement SELECT 1" in told(flight)) == ("statements", True)


def test_at_the_level_pool_no_statement_is_recorded(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with FlightRecorder() as pool, FlightRecorder(level="statements") as statements:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        await engine.dispose()
        assert (marks(pool), marks(statements)) == ([], ["statement SELECT"])

    asyncio.run(main())


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("select 1", "statement SELECT"),
        ("  (\n", None),
        ("", "statement"),
        ("-- secret\nSELECT 1", "statement"),
        ("/*secret*/ SELECT 1", "statement"),
        ("WITH c(n) AS (SELECT 1) SELECT n FROM c", "statement WITH"),
    ],
)
def test_the_first_word_is_a_word_or_nothing(statement: str, verb: str | None) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with FlightRecorder(level="statements") as flight, engine.connect() as connection:
        if verb is None:
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql(statement)
        else:
            connection.exec_driver_sql(statement)
    assert marks(flight) == ([verb] if verb else [])
    assert flight.record().faults == []
    engine.dispose()


def test_a_statement_that_fails_leaves_nothing_on_its_connection() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with FlightRecorder(level="statements") as flight, engine.connect() as connection:
        before = dict(connection.info)
        for _ in range(3):
            with pytest.raises(DBAPIError):
                connection.execute(text("SELECT broken"))
        connection.execute(text("SELECT 1"))
        assert connection.info.keys() == before.keys()
    assert marks(flight) == ["statement SELECT"]
    engine.dispose()


def test_a_listener_that_rewrites_statements_is_heard(make_engine: MakeEngine) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    event.listen(
        engine, "before_cursor_execute", lambda c, cursor, s, p, context, many: ("SELECT 2", p), retval=True
    )
    with FlightRecorder(level="statements") as flight, engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 2
    assert marks(flight) == ["statement SELECT"]
    engine.dispose()
