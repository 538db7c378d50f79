"""Passwords, parameters and the text of statements are never written down, whatever goes wrong."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import URL, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from labkit.recorder import FlightRecorder
from labkit.services import Services

from .aids import LEAKY, Base, Entry

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]

SECRET = "s3cr3t"
PASSWORDS = [SECRET, f"{SECRET}@:/?#[]%", f"é {SECRET} \"'`$&", f"%40{SECRET}+ "]


def everything_written(flight: FlightRecorder) -> str:
    """Return all that a recorder could tell anybody."""
    record, findings = flight.record(), flight.findings()
    return "\n".join(
        [
            *(flight.to_json(), repr(flight), repr(findings), repr(flight.events), repr(flight.statistics())),
            *(repr(flight.holders()), repr(record), *record.faults),
            *(flight.report(), flight._repr_html_(), flight.to_trace(), str(flight.table())),
        ]
    )


@pytest.mark.parametrize("level", ["pool", "statements"])
def test_what_statements_say_is_not_written_down(make_engine: MakeEngine, level: Any) -> None:
    async def main() -> None:
        engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.01)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add(Entry(id=1, text=SECRET))
            await session.commit()
            await session.scalars(select(Entry).where(Entry.text == SECRET))
            await session.execute(text(f"/* {SECRET} */ SELECT '{SECRET}'"))
            with pytest.raises(PoolTimeout):
                await engine.connect()
        async with AsyncSession(engine) as session:
            await session.execute(insert(Entry), [{"id": 2, "text": SECRET}, {"id": 3, "text": SECRET}])
            with pytest.raises(DBAPIError, match=SECRET):
                await session.execute(text(f"SELECT {SECRET}"))
        async with AsyncSession(engine) as session:
            session.add(Entry(id=4, text=SECRET))
            await session.flush()
            with pytest.raises(SQLAlchemyError):
                await asyncio.gather(*(session.execute(text(f"{SECRET} :p"), {"p": SECRET}) for _ in range(2)))
        connection = await engine.connect()
        await connection.execute(text("SELECT :secret"), {"secret": SECRET})
        del connection
        gc.collect()

    with FlightRecorder(level=level) as flight:
        asyncio.run(main())
        gc.collect()
    assert len(flight.findings()) >= 2
    written = everything_written(flight)
    assert SECRET not in written
    assert SECRET.upper() not in written


@pytest.mark.parametrize("password", PASSWORDS)
def test_the_password_of_a_database_is_not_written_down(password: str, unused_tcp_port: int) -> None:
    async def main() -> None:
        engine = create_async_engine(url, pool_pre_ping=True)
        with pytest.raises(DBAPIError):
            await engine.connect()
        await engine.dispose()

    where = {"host": "127.0.0.1", "port": unused_tcp_port, "database": "lab"}
    url = URL.create("mysql+asyncmy", "lab", password, **where)
    with FlightRecorder() as flight:
        asyncio.run(main())
        engine = create_async_engine(url)
        flight.attach(engine)
        [entry] = {flight._trackers.engines._engines[engine.sync_engine].url}
    assert entry == f"mysql+asyncmy://lab:***@127.0.0.1:{unused_tcp_port}/lab"
    assert SECRET not in everything_written(flight)


def test_a_password_in_the_query_of_a_url_is_not_written_down() -> None:
    with FlightRecorder() as flight:
        url = f"mysql+asyncmy://127.0.0.1/lab?user=lab&password={SECRET}&ssl_key={SECRET}"
        engine = create_async_engine(url)
        entry = flight._trackers.engines._engines[engine.sync_engine]
    assert entry.url == "mysql+asyncmy://127.0.0.1/lab"


@pytest.mark.parametrize("password", PASSWORDS)
def test_the_password_of_a_redis_is_not_written_down(password: str, unused_tcp_port: int) -> None:
    async def main() -> None:
        client: Any = Redis(host="127.0.0.1", port=unused_tcp_port, username="lab", password=password)
        client.connection_pool.get_available_connection()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert [finding.code for finding in flight.findings()] == ["redis-leaked-connection"]
    assert SECRET not in everything_written(flight)


def test_the_password_of_a_server_that_answers_is_not_written_down(services: Services) -> None:
    async def main() -> None:
        engine = create_async_engine(services.database_url)
        connection = await engine.connect()
        await connection.execute(text("SELECT 1"))
        del connection
        gc.collect()
        await engine.dispose()

    with FlightRecorder(level="statements") as flight:
        asyncio.run(main())
    password = make_url(services.database_url).password
    assert password
    assert flight.findings()
    assert f":{password}@" not in everything_written(flight)
