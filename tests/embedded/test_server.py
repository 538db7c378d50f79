"""The embedded servers alone: how they start and end, what they refuse, and that the story's bug comes through."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncmy
import psutil
import pytest
import sqlalchemy as sa
from redis.asyncio import Redis
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from labkit.embedded.redis import run_redis
from labkit.embedded.server import MysqlServer, run_mysql
from labkit.embedded.statements import LONG, Planner
from labkit.errors import CannotStart

PATIENCE = 10.0


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[MysqlServer]:
    async with run_mysql(tmp_path) as server:
        yield server


async def connect(server: MysqlServer, **options: Any) -> Any:
    url = make_url(server.url)
    options = {"user": url.username, "password": url.password, "db": url.database, "autocommit": True, **options}
    return await asyncmy.connect(host=url.host, port=url.port, **options)


@pytest.fixture
async def cursor(running: MysqlServer) -> AsyncIterator[Any]:
    connection = await connect(running)
    yield connection.cursor()
    await connection.ensure_closed()


async def run(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    await cursor.execute(sql)
    return [tuple(row) for row in await cursor.fetchall()] if cursor.description else []


async def code(cursor: Any, sql: str) -> int:
    with pytest.raises(asyncmy.errors.MySQLError) as caught:
        await run(cursor, sql)
    return int(caught.value.args[0])


async def test_each_server_listens_on_this_machine_with_a_password_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    async with run_mysql(tmp_path) as first, run_mysql(tmp_path / "second") as second, run_redis() as redis:
        urls = [make_url(each.url) for each in (first, second, redis)]
    assert {url.host for url in urls} == {"127.0.0.1"}
    assert len({url.password for url in urls}) == 3


async def test_nothing_is_left_when_they_end_while_clients_are_connected(tmp_path: Path) -> None:
    threads, process = set(threading.enumerate()), psutil.Process()
    descriptors, outside = process.num_fds(), set(tmp_path.parent.iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with run_mysql(tmp_path) as server, run_redis() as redis:
            sleeper, idle = await connect(server), await connect(server)
            store = Redis.from_url(redis.url)
            await store.ping()
            sleeping = asyncio.create_task(sleeper.cursor().execute("SELECT SLEEP(60)"))
            await until_running(idle.cursor(), "SLEEP(60)")
            began = time.perf_counter()
        took = time.perf_counter() - began
        with pytest.raises(asyncmy.errors.OperationalError):
            await sleeping
        for connection in (sleeper, idle):
            with contextlib.suppress(asyncmy.errors.MySQLError, OSError):
                await connection.ensure_closed()
        await store.aclose()
        gc.collect()
    assert took < 1.0
    assert set(threading.enumerate()) - threads == set()
    assert process.num_fds() <= descriptors
    assert set(tmp_path.parent.iterdir()) == outside


async def until_running(cursor: Any, text: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not any(
            row[7] and text in row[7] and "FULL" not in row[7] for row in await run(cursor, "SHOW FULL PROCESSLIST")
        ):
            pass


async def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="embedded MySQL server did not start"):
        async with run_mysql(tmp_path / "missing"):
            raise AssertionError("it started")


def test_a_server_stopped_twice_or_never_started_is_stopped(tmp_path: Path) -> None:
    server = MysqlServer(tmp_path)
    server.stop()
    server.start()
    server.stop()
    server.stop()


REFUSED = [
    "SELECT SLEEP(1) FROM people",
    "SELECT price * name FROM people",
    "SELECT id FROM people WHERE name = 5.5",
    "SELECT id FROM people WHERE price = name",
    "SELECT ROW_NUMBER() OVER (ORDER BY id) FROM people",
    "WITH p AS (SELECT id FROM people) SELECT id FROM p",
    "SELECT id FROM people RIGHT JOIN people p ON p.id = people.id",
    "SELECT DATE_ADD(NOW(), INTERVAL 1 DAY)",
    "SELECT ROUND(price) FROM people",
    "SELECT IFNULL(id, 'none') FROM people",
    "SELECT @user_variable",
    "SELECT id FROM people FOR UPDATE SKIP LOCKED",
    "SELECT /*! STRAIGHT_JOIN */ id FROM people",
    "UPDATE people SET id = id + 1, price = id",
    "UPDATE people SET id = 1 LIMIT 1",
    "DELETE FROM people ORDER BY id LIMIT 1",
    "REPLACE INTO people (id) VALUES (1)",
    "ALTER TABLE people ADD COLUMN x INT",
    "CREATE TABLE t (id GEOMETRY)",
    "CREATE TABLE t (at DATETIME ON UPDATE CURRENT_TIMESTAMP)",
    "CREATE TEMPORARY TABLE t (id INT)",
    "CREATE UNIQUE INDEX i ON people (name(3))",
    "CREATE DATABASE other",
    "LOCK TABLES people WRITE",
    "SET GLOBAL wait_timeout = 1",
    "SET time_zone = '+02:00'",
    "SET sql_mode = 'ANSI'",
    "SET NAMES latin1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
    "START TRANSACTION READ ONLY",
    "EXPLAIN SELECT id FROM people",
    "SELECT 1; SELECT 2",
]


@pytest.mark.parametrize("sql", REFUSED)
async def test_what_it_can_not_do_as_mysql_does_it_refuses_and_names_who_can(
    cursor: Any, sql: str, caplog: pytest.LogCaptureFixture
) -> None:
    await run(cursor, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(10,2))")
    with pytest.raises(asyncmy.errors.MySQLError) as caught:
        await run(cursor, sql)
    assert caught.value.args[0] == 1235
    assert "local or containers" in caught.value.args[1]
    assert caplog.records == []


async def test_a_statement_after_a_refused_one_runs(cursor: Any) -> None:
    assert await code(cursor, "CALL nothing()") == 1235
    assert await run(cursor, "SELECT 1") == [(1,)]


async def test_a_prepared_statement_of_the_protocol_is_refused(running: MysqlServer) -> None:
    connection = await connect(running)
    with pytest.raises(asyncmy.errors.MySQLError) as caught:
        await connection.prepare("SELECT ?")
    assert caught.value.args[0] == 1235
    await connection.ensure_closed()


async def test_a_client_that_goes_ends_what_it_runs(running: MysqlServer, cursor: Any) -> None:
    sleeper = await connect(running)
    sleeping = asyncio.create_task(sleeper.cursor().execute("SELECT SLEEP(600)"))
    await until_running(cursor, "SLEEP(600)")
    sleeper.close()
    with pytest.raises(asyncmy.errors.MySQLError):
        await sleeping
    async with asyncio.timeout(PATIENCE):
        while len(await run(cursor, "SHOW PROCESSLIST")) > 1:
            pass


async def test_a_long_query_leaves_others_free_and_can_be_killed(running: MysqlServer, cursor: Any) -> None:
    await run(cursor, "CREATE TABLE numbers (n INT)")
    await run(cursor, f"INSERT INTO numbers VALUES {', '.join(f'({n})' for n in range(200))}")
    other = await connect(running)
    long = "SELECT COUNT(*) FROM numbers a, numbers b, numbers c, numbers d WHERE a.n + b.n + c.n + d.n < 0"
    counting = asyncio.create_task(other.cursor().execute(long))
    await until_running(cursor, "numbers a")
    [[number]] = [row[:1] for row in await run(cursor, "SHOW FULL PROCESSLIST") if "numbers a" in str(row[7])]
    assert await run(cursor, "SELECT COUNT(*) FROM numbers") == [(200,)]
    await run(cursor, f"KILL QUERY {number}")
    with pytest.raises(asyncmy.errors.OperationalError, match="1317"):
        await asyncio.wait_for(counting, PATIENCE)
    await other.ensure_closed()


@pytest.mark.parametrize(("length", "elsewhere"), [(10, False), (LONG, True)], ids=["short", "long"])
async def test_a_long_statement_is_planned_in_a_thread_and_holds_up_nobody(
    running: MysqlServer, cursor: Any, monkeypatch: pytest.MonkeyPatch, length: int, elsewhere: bool
) -> None:
    threads, plan = [], Planner.plan

    def watched(self: Planner, sql: str, *, count_found: bool) -> Any:
        threads.append(threading.current_thread())
        return plan(self, sql, count_found=count_found)

    monkeypatch.setattr(Planner, "plan", watched)
    assert await run(cursor, f"SELECT LENGTH('{'x' * length}') AS n") == [(length,)]
    assert [thread is not running._thread for thread in threads] == [elsewhere]


HOURS = {
    "quotes": "SELECT '" + "\\'" * 200_000,
    "comments": "/*" * 100_000,
    "brackets": "(" * 100_000 + "SELECT 1",
    "spaces": "KILL 1" + " " * 100_000 + "x",
    "jokers": f"SELECT '{'a' * 50}' LIKE '{'%a' * 25}%b'",
}


@pytest.mark.parametrize("sql", HOURS.values(), ids=HOURS)
async def test_many_of_them_take_no_hours(cursor: Any, sql: str) -> None:
    """A pattern that goes back over what it has read would keep the whole server busy, for hours."""
    with contextlib.suppress(asyncmy.errors.MySQLError):
        await run(cursor, sql)
    assert await run(cursor, "SELECT 1") == [(1,)]


async def test_a_statement_nested_too_deeply_is_refused(cursor: Any) -> None:
    assert await code(cursor, f"SELECT {'(' * 500}1{')' * 500}") == 1235
    assert await code(cursor, f"SELECT {'1 + ' * 3_000}1") == 1235
    assert await run(cursor, "SELECT ((1))") == [(1,)]


async def test_a_server_error_says_so_and_keeps_the_connection(
    cursor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labkit.embedded.session.show", lambda *given: 1 / 0)
    assert await code(cursor, "SHOW TABLES") == 1105
    assert await run(cursor, "SELECT 1") == [(1,)]


@pytest.mark.push
async def test_a_hundred_writers_lose_and_double_nothing(running: MysqlServer, cursor: Any) -> None:
    await run(cursor, "CREATE TABLE counters (id INT PRIMARY KEY, n INT)")
    await run(cursor, "INSERT INTO counters VALUES (1, 0)")
    engine = create_async_engine(running.url, pool_size=5, max_overflow=5)

    async def count() -> None:
        async with AsyncSession(engine) as session, session.begin():
            await session.execute(sa.text("SELECT n FROM counters"))
            await session.execute(sa.text("UPDATE counters SET n = n + 1"))

    await asyncio.gather(*(count() for _ in range(100)))
    await engine.dispose()
    assert await run(cursor, "SELECT n FROM counters") == [(100,)]


class Told(logging.Handler):
    """Keep what the pool's log says, without the tracebacks: they hold the leaked socket."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.errors.append(str(record.exc_info[1]))


@pytest.mark.filterwarnings("ignore")
async def test_the_storys_error_comes_out_of_the_pools_log(running: MysqlServer) -> None:
    async def leak() -> None:
        session = AsyncSession(create_async_engine(running.url))
        await session.execute(sa.text("SELECT 1"))
        leaked.append(session)

    leaked: list[AsyncSession] = []
    pool_log, told = logging.getLogger("sqlalchemy.pool"), Told()
    pool_log.addHandler(told)
    pool_log.propagate = False
    try:
        await asyncio.to_thread(asyncio.run, leak())
        leaked.clear()
        gc.collect()
        gc.collect()  # and what the first one has set free: the socket of the closed loop
    finally:
        pool_log.removeHandler(told)
        pool_log.propagate = True
    assert told.errors == ["Event loop is closed"]


START = """
import asyncio, pathlib, sys, tempfile, time
began = time.perf_counter()
from labkit.embedded.redis import run_redis
from labkit.embedded.server import run_mysql

async def main():
    with tempfile.TemporaryDirectory() as folder:
        async with run_mysql(pathlib.Path(folder)), run_redis():
            print(time.perf_counter() - began)

asyncio.run(main())
"""


def test_a_fresh_process_that_starts_them_says_nothing_on_the_way_out() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", START], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
