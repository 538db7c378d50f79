"""
The embedded servers: MySQL's protocol in front of SQLite, and fakeredis, each on a loopback port in a thread.

    server.py, thread.py       the MySQL server: its connections, its thread and loop
    wire.py, packets.py, logins.py, results.py      one connection: frames, login, commands, KILL, column types
    session.py, settings.py, variables.py           what each statement does, and what SET and @@ know
    statements.py, literals.py, plans.py            statements translated once and kept by their shape
    queries.py, writes.py, ddl.py, definitions.py   MySQL's statements rewritten for SQLite
    rewriting.py, expressions.py, comparisons.py, calculations.py     and MySQL's expressions
    sqltypes.py, functions.py, storing.py           values and comparisons as MySQL has them
    backend.py      SQLite, transactions, the write lock
    catalog.py, show.py, information.py               the tables that exist, and how they are asked for
    answers.py, faults.py                             answers and errors in MySQL's words
    redis.py        the Redis server

They are for teaching, not for production: one process, a temporary file, and the SQL of an ordinary application.
What they would do differently from MySQL they refuse, with error 1235 or 1305, naming the providers that can.
Known differences are left in: one write lock for the whole database instead of row locks; symbols and letters that
are neither ASCII nor Latin sort by their number in Unicode; times are UTC.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import CannotStart
from labkit.services.services import Capability, Services

if TYPE_CHECKING:
    from labkit.services.embedded.redis import RedisServer

__all__ = ["CAPABILITIES", "REDIS_CAPABILITIES", "run_embedded", "run_embedded_redis"]

REDIS_CAPABILITIES = frozenset({Capability.CLIENT_LIST})
CAPABILITIES = REDIS_CAPABILITIES | {
    Capability.SERVER,
    Capability.PROCESSLIST,
    Capability.KILL,
    Capability.WAIT_TIMEOUT,
    Capability.SLEEP,
    Capability.ISOLATION,
}


@asynccontextmanager
async def run_embedded(folder: Path) -> AsyncIterator[Services]:
    """
    Run both servers while the block runs, MySQL's data in `folder`, which is the caller's to delete.

    Raises `CannotStart` when a port or a file can't be had. At the end clients are cut off, the threads gone.
    Starting and stopping block the loop for some milliseconds, so that no cancellation can come between.
    """
    async with _redis() as redis:
        from labkit.services.embedded.server import MysqlServer
        from labkit.services.embedded.variables import VERSION

        mysql = MysqlServer(folder)
        try:
            mysql.start()
        except (OSError, sqlite3.Error) as fault:
            raise CannotStart(f"The embedded MySQL server did not start: {fault}.") from fault
        try:
            versions = {"mysql": VERSION, "redis": redis.version}
            yield Services("embedded", mysql.url, redis.url, versions, CAPABILITIES)
        finally:
            mysql.stop()


@asynccontextmanager
async def run_embedded_redis() -> AsyncIterator[str]:
    """Run the Redis server alone while the block runs, and give its URL."""
    async with _redis() as server:
        yield server.url


@asynccontextmanager
async def _redis() -> AsyncIterator[RedisServer]:
    from labkit.services.embedded.redis import RedisServer

    server = RedisServer()
    try:
        server.start()
    except OSError as fault:
        raise CannotStart(f"The embedded Redis server did not start: {fault}.") from fault
    try:
        yield server
    finally:
        server.stop()
