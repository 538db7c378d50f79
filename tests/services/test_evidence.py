"""Evidence comes from the servers and not from any engine: connections, rows, Redis clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiosqlite
import asyncmy
import pytest
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from labkit.errors import InvalidInput, MissingCapability
from labkit.services import Capability, Services, evidence

PATIENCE = 15.0


async def connect(services: Services) -> Any:
    url = make_url(services.database_url)
    return await asyncmy.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, db=url.database, autocommit=True
    )


@pytest.fixture
async def other(clean_services: Services) -> AsyncIterator[Any]:
    connection = await connect(clean_services)
    yield connection
    with contextlib.suppress(asyncmy.errors.MySQLError, OSError):
        await connection.ensure_closed()


async def own_id(connection: Any) -> int:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT CONNECTION_ID()")
        return int((await cursor.fetchone())[0])


async def until_alone(services: Services) -> None:
    async with asyncio.timeout(PATIENCE):
        while await evidence.connections(services):
            pass


async def test_nobody_connected_means_no_connection_listed(clean_services: Services) -> None:
    await until_alone(clean_services)


async def test_an_idle_connection_is_listed_with_its_user(clean_services: Services, other: Any) -> None:
    number = await own_id(other)
    found = {c.id: c for c in await evidence.connections(clean_services)}
    assert (found[number].user, found[number].command) == (make_url(clean_services.database_url).username, "Sleep")
    assert found[number].info is None
    assert list(found) == sorted(found)


async def test_a_running_statement_is_shown(clean_services: Services, other: Any) -> None:
    sleeping = asyncio.create_task(other.cursor().execute("SELECT SLEEP(60)"))
    async with asyncio.timeout(PATIENCE):
        while not any(c.info == "SELECT SLEEP(60)" for c in await evidence.connections(clean_services)):
            pass
    [runner] = [c for c in await evidence.connections(clean_services) if c.info]
    await evidence.kill_connection(clean_services, runner.id)
    with pytest.raises(asyncmy.errors.OperationalError):
        await asyncio.wait_for(sleeping, PATIENCE)


async def test_a_killed_connection_is_gone_and_killing_it_again_does_nothing(
    clean_services: Services, other: Any
) -> None:
    number = await own_id(other)
    await evidence.kill_connection(clean_services, number)
    await until_alone(clean_services)
    await evidence.kill_connection(clean_services, number)


async def test_only_committed_rows_are_counted(clean_services: Services, other: Any) -> None:
    async with other.cursor() as cursor:
        await cursor.execute("CREATE TABLE people (name VARCHAR(20), age INT)")
        await cursor.execute("INSERT INTO people VALUES ('Ada', 36), ('Bob', NULL), ('it''s', NULL)")
        await cursor.execute("BEGIN")
        await cursor.execute("INSERT INTO people VALUES ('Cy', 1)")
    assert await evidence.count_rows(clean_services, "people") == 3
    assert await evidence.count_rows(clean_services, "people", name="it's") == 1
    assert await evidence.count_rows(clean_services, "people", name="Bob", age=None) == 1
    assert await evidence.count_rows(clean_services, "people", age=7) == 0


async def test_a_name_that_is_no_name_is_not_sent(any_services: Services) -> None:
    with pytest.raises(InvalidInput, match="can't be sent"):
        await evidence.count_rows(any_services, "people` --")


async def test_redis_lists_its_clients_but_not_the_one_that_asks(any_services: Services) -> None:
    before = {client.id for client in await evidence.redis_clients(any_services)}
    async with (
        Redis.from_url(any_services.redis_url, single_connection_client=True, client_name="tester") as client,
        client.pubsub() as listener,
    ):
        await listener.subscribe("room")
        await listener.get_message(timeout=PATIENCE)
        await client.get("k")
        found = {c.id: c for c in await evidence.redis_clients(any_services) if c.id not in before}
        assert found[await client.client_id()].name == "tester"
        assert sorted(c.subscriptions for c in found.values()) == [0, 1]


@pytest.fixture
async def file_services(tmp_path: Any) -> Services:
    async with aiosqlite.connect(tmp_path / "lab.db") as db:
        await db.execute("CREATE TABLE people (name TEXT, age INTEGER)")
        await db.execute("INSERT INTO people VALUES ('Ada', 36), ('Bob', NULL)")
        await db.commit()
    return Services("sqlite", f"sqlite+aiosqlite:///{tmp_path / 'lab.db'}", "redis://", {}, frozenset())


async def test_rows_are_counted_in_a_sqlite_file_too(file_services: Services) -> None:
    assert await evidence.count_rows(file_services, "people") == 2
    assert await evidence.count_rows(file_services, "people", name="Bob", age=None) == 1


@pytest.mark.parametrize(
    ("ask", "capability"),
    [
        (evidence.connections, Capability.PROCESSLIST),
        (lambda services: evidence.kill_connection(services, 1), Capability.KILL),
        (evidence.redis_clients, Capability.CLIENT_LIST),
    ],
)
async def test_what_a_provider_can_not_show_is_refused_by_name(
    file_services: Services, ask: Any, capability: Capability
) -> None:
    with pytest.raises(MissingCapability, match=capability.value):
        await ask(file_services)
