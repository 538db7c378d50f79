"""Clauses on connections: who may log in, who is listed, who is ended and how the client learns of it."""

from __future__ import annotations

import asyncio
import contextlib

import asyncmy
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from labkit.services import Capability, Services

from .conftest import PATIENCE, Client, Connect, lacks, until_waiting

pytestmark = pytest.mark.real_servers("core", "push")

LOST = {2006, 2013, 4031, 1927, 1317}
GONE = {2006, 2013, 4031}


async def own_id(client: Client) -> int:
    return int(await client.value("SELECT CONNECTION_ID()"))


@pytest.mark.parametrize("login", [{"password": "wrong"}, {"user": "nobody"}, {"password": ""}])
async def test_a_wrong_login_is_refused_with_1045(connect: Connect, login: dict[str, str]) -> None:
    with pytest.raises(asyncmy.errors.OperationalError) as caught:
        await connect(**login)
    assert caught.value.args[0] == 1045
    assert "Access denied for user" in caught.value.args[1]


async def test_an_unknown_database_is_refused(connect: Connect) -> None:
    with pytest.raises(asyncmy.errors.OperationalError) as caught:
        await connect(db="elsewhere")
    assert caught.value.args[0] in (1044, 1049)


async def test_each_connection_has_a_number_of_its_own(connect: Connect) -> None:
    numbers = [await own_id(await connect()) for _ in range(3)]
    assert len(set(numbers)) == 3
    assert numbers == sorted(numbers)


async def test_ping_and_sqlalchemys_pre_ping_are_answered(client: Client, engine: AsyncEngine) -> None:
    await client.connection.ping(reconnect=False)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SELECT 1")


async def test_the_process_list_says_who_does_what(client: Client, connect: Connect, services: Services) -> None:
    if lacks(services, Capability.PROCESSLIST):
        return
    idle = await own_id(await connect())
    own = await own_id(client)
    listed = {row[0]: row for row in await client.rows("SHOW FULL PROCESSLIST")}
    url = make_url(services.database_url)
    assert (listed[own][1], listed[own][3]) == (url.username, url.database)
    assert (listed[own][4], listed[own][7]) == ("Query", "SHOW FULL PROCESSLIST")
    assert (listed[idle][4], listed[idle][7]) == ("Sleep", None)
    schema = await client.rows("SELECT id, command FROM information_schema.processlist WHERE id = %s", idle)
    assert schema == [(idle, "Sleep")]


async def test_a_connection_that_was_closed_is_listed_no_more(client: Client, connect: Connect) -> None:
    other = await connect()
    number = await own_id(other)
    await other.connection.ensure_closed()
    async with asyncio.timeout(PATIENCE):
        while number in [row[0] for row in await client.rows("SHOW FULL PROCESSLIST")]:
            pass


async def test_kill_ends_an_idle_connection_and_rolls_back(
    people: Client, connect: Connect, services: Services
) -> None:
    if lacks(services, Capability.KILL):
        return
    other = await connect()
    number = await own_id(other)
    await other.run("BEGIN")
    await other.run("INSERT INTO people (email) VALUES ('ada')")
    await people.run(f"KILL {number}")
    async with asyncio.timeout(PATIENCE):
        while number in [row[0] for row in await people.rows("SHOW FULL PROCESSLIST")]:
            pass
    assert await other.code("SELECT 1") in GONE
    assert await people.value("SELECT COUNT(*) FROM people") == 0
    await people.run("INSERT INTO people (email) VALUES ('ada')")


async def test_kill_ends_a_statement_that_runs(client: Client, connect: Connect, services: Services) -> None:
    if lacks(services, Capability.KILL):
        return
    sleeper = await connect()
    number = await own_id(sleeper)
    sleeping = asyncio.create_task(sleeper.code("SELECT SLEEP(60)"))
    await until_waiting(client, number, "SLEEP")
    await client.run(f"KILL {number}")
    assert await asyncio.wait_for(sleeping, PATIENCE) in LOST
    assert await sleeper.code("SELECT 1") in GONE | {0}


async def test_a_connection_can_end_itself(client: Client, services: Services) -> None:
    if lacks(services, Capability.KILL):
        return
    assert await client.code("KILL CONNECTION_ID()") in LOST
    assert await client.code("SELECT 1") in GONE | {0}


async def test_kill_ends_a_wait_for_a_lock(people: Client, connect: Connect, services: Services) -> None:
    if lacks(services, Capability.KILL):
        return
    await people.run("INSERT INTO people (email, age) VALUES ('ada', 1)")
    other, watcher = await connect(), await connect()
    number = await own_id(other)
    await people.run("BEGIN")
    await people.run("UPDATE people SET age = 2")
    waiting = asyncio.create_task(other.code("UPDATE people SET age = 3"))
    await until_waiting(watcher, number, "UPDATE")
    await watcher.run(f"KILL {number}")
    assert await asyncio.wait_for(waiting, PATIENCE) in LOST
    await people.run("COMMIT")
    assert await people.value("SELECT age FROM people") == 2


async def test_kill_query_ends_the_statement_and_keeps_the_connection(
    people: Client, connect: Connect, services: Services
) -> None:
    if lacks(services, Capability.KILL):
        return
    await people.run("INSERT INTO people (email, age) VALUES ('ada', 1)")
    other, watcher = await connect(), await connect()
    number = await own_id(other)
    await people.run("BEGIN")
    await people.run("UPDATE people SET age = 2")
    waiting = asyncio.create_task(other.code("UPDATE people SET age = 3"))
    await until_waiting(watcher, number, "UPDATE")
    await watcher.run(f"KILL QUERY {number}")
    assert await asyncio.wait_for(waiting, PATIENCE) == 1317
    assert await own_id(other) == number


async def test_sleep_takes_its_time_and_others_go_on(client: Client, connect: Connect, services: Services) -> None:
    if lacks(services, Capability.SLEEP):
        return
    other = await connect()
    number = await own_id(other)
    loop = asyncio.get_running_loop()
    began = loop.time()
    sleeping = asyncio.create_task(other.value("SELECT SLEEP(0.4)"))
    await until_waiting(client, number, "SLEEP")
    assert not sleeping.done()
    assert await sleeping == 0
    assert loop.time() - began >= 0.39


async def test_a_connection_left_idle_is_ended_by_wait_timeout(
    client: Client, connect: Connect, services: Services
) -> None:
    if lacks(services, Capability.WAIT_TIMEOUT):
        return
    other = await connect()
    number = await own_id(other)
    await other.run("SET SESSION wait_timeout = 1")
    assert await other.value("SELECT @@wait_timeout") == 1
    async with asyncio.timeout(PATIENCE):
        while number in [row[0] for row in await client.rows("SHOW FULL PROCESSLIST")]:
            await asyncio.sleep(0.02)
    assert await other.code("SELECT 1") in GONE


async def test_a_client_that_hangs_up_leaves_no_transaction(people: Client, connect: Connect) -> None:
    other = await connect()
    await other.run("BEGIN")
    await other.run("INSERT INTO people (email) VALUES ('ada')")
    with contextlib.suppress(Exception):
        await other.connection.ensure_closed()
    await people.run("INSERT INTO people (email) VALUES ('ada')")
    assert await people.value("SELECT COUNT(*) FROM people") == 1
