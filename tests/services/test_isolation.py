"""Users who share servers see nothing of each other, and leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import psutil
import pytest
import redis
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from labkit.engine import Engine
from labkit.engine.models import User
from labkit.errors import Unreachable
from labkit.services import Services, isolated_services, isolation, services_in_thread
from labkit.services.evidence import connections, count_rows, redis_clients, server_cursor

HOLDS = """
import os, sys
from labkit.services import isolated_services, services_in_thread
with services_in_thread("url") as services, isolated_services(services) as own:
    print(own.database_url.rpartition("/")[2], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def users(services: Services) -> Iterator[tuple[Services, Services]]:
    with isolated_services(services) as one, isolated_services(services) as other:
        yield one, other


async def schemas(services: Services) -> set[str]:
    async with server_cursor(services) as cursor:
        await cursor.execute("SHOW DATABASES LIKE 'labkit\\\\_%'")
        return {name for [name] in await cursor.fetchall()}


def engine(services: Services) -> Engine:
    return Engine(database_url=services.database_url, redis_url=services.redis_url)


async def test_two_users_have_rows_cached_rows_connections_and_clients_each(
    users: tuple[Services, Services],
) -> None:
    one, other = users
    async with engine(one) as ada, engine(other) as bob:
        await ada.create_tables()
        await bob.create_tables()
        await ada.save(User(id=1, email="ada@example.com", name="Ada"))
        assert await ada.get(User, id=1) is not None  # it is in Redis from now on
        assert await bob.get(User, id=1) is None

        assert [await count_rows(each, "users") for each in users] == [1, 0]
        assert [len(await connections(each)) for each in users] == [2, 2]  # one to write, one to read
        assert [len(await redis_clients(each)) for each in users] == [1, 1]


@pytest.mark.push
@pytest.mark.providers("local", "containers")
async def test_nothing_of_a_user_is_left_not_even_what_they_forgot(services: Services) -> None:
    before = await schemas(services)
    with ExitStack() as stack:
        own = stack.enter_context(isolated_services(services))
        async with engine(own) as db:
            await db.create_tables()
            await db.save(User(id=1, email="ada@example.com", name="Ada"))
            await db.get(User, id=1)
        forgetful = create_async_engine(own.database_url)
        forgotten = await forgetful.connect()
        await forgotten.execute(text("SELECT * FROM users"))  # its transaction keeps the table
        schema = make_url(own.database_url).database
        with redis.Redis.from_url(services.redis_url) as client:
            assert list(client.scan_iter(f"labkit:{schema}:*")) != []
            stack.close()
            assert list(client.scan_iter(f"labkit:{schema}:*")) == []

    assert await schemas(services) == before
    await forgotten.invalidate()
    await forgotten.close()
    await forgetful.dispose()


@pytest.mark.push
@pytest.mark.providers("local", "containers")
async def test_nothing_is_left_of_a_user_whose_process_is_killed(services: Services) -> None:
    urls = {"LABKIT_DATABASE_URL": services.database_url, "LABKIT_REDIS_URL": services.redis_url}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        env=os.environ | urls,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        schema = process.stdout.readline().strip()
        assert schema in await schemas(services)
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while schema in await schemas(services):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.push
@pytest.mark.providers("local", "containers")
async def test_the_keys_of_a_user_go_when_the_schema_is_gone_already(services: Services) -> None:
    with redis.Redis.from_url(services.redis_url) as client:
        with isolated_services(services) as own:
            schema = make_url(own.database_url).database
            client.set(f"labkit:{schema}:key", "value")
            async with server_cursor(services) as cursor:
                await cursor.execute(f"DROP DATABASE {schema}")

        assert client.exists(f"labkit:{schema}:key") == 0


@pytest.mark.push
@pytest.mark.providers("local")
async def test_who_leaves_a_server_that_does_not_answer_does_not_wait_long(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "PATIENCE", 0.5)
    [database] = [each for each in psutil.Process().children() if each.name() in ("mysqld", "mariadbd")]
    try:
        with isolated_services(services) as own:
            database.suspend()
            began = time.monotonic()
        assert time.monotonic() - began < 5
        with pytest.raises(Unreachable, match="did not answer"), isolated_services(services):
            pass
    finally:
        database.resume()
    await isolation._remove(own)


def test_a_name_of_your_own_for_redis_clients_and_other_options_are_no_obstacle() -> None:
    url = "redis://:a%3Fb@127.0.0.1:1/0"
    services = Services(
        "url", "mysql+asyncmy://u:p@127.0.0.1:1/d", f"{url}?client_name=x&protocol=3", {}, frozenset()
    )

    assert isolation._renamed(services, "labkit_1").redis_url == f"{url}?client_name=labkit_1&protocol=3"


@pytest.mark.push
@pytest.mark.providers("local")
async def test_it_goes_the_way_that_the_url_says(services: Services) -> None:
    async with server_cursor(services) as cursor:
        await cursor.execute("SELECT @@datadir")
        [folder] = await cursor.fetchone()
    url = make_url(services.database_url).set(port=1, query={"unix_socket": f"{folder}mysqld.sock"})
    by_socket = replace(services, database_url=url.render_as_string(hide_password=False))
    with isolated_services(by_socket) as own:
        assert make_url(own.database_url).database in await schemas(services)


async def test_a_user_may_have_users(users: tuple[Services, Services]) -> None:
    with isolated_services(users[0]) as third:
        assert len({each.database_url for each in (*users, third)}) == 3
        assert len({each.redis_url for each in (*users, third)}) == 3


@pytest.mark.push
@pytest.mark.providers("local", "containers")
async def test_an_account_that_may_make_no_schema_shares_its_own(services: Services) -> None:
    database = make_url(services.database_url)
    async with server_cursor(services) as cursor:
        await cursor.execute("CREATE USER IF NOT EXISTS poor@'%' IDENTIFIED BY 'secret'")
        await cursor.execute(f"GRANT ALL ON {database.database}.* TO poor@'%'")
    try:
        url = database.set(username="poor", password="secret").render_as_string(hide_password=False)
        poor = Services("url", url, services.redis_url, services.versions, services.capabilities)
        with isolated_services(poor) as own:
            assert own is poor
    finally:
        async with server_cursor(services) as cursor:
            await cursor.execute("DROP USER poor@'%'")


async def test_so_does_who_comes_to_embedded_servers_by_their_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    with services_in_thread("embedded") as running:
        monkeypatch.setenv("LABKIT_DATABASE_URL", running.database_url)
        monkeypatch.setenv("LABKIT_REDIS_URL", running.redis_url)
        with services_in_thread("url") as services, isolated_services(services) as own:
            assert own is services
