"""
The embedded servers: MySQL's protocol in front of SQLite, and fakeredis, each on a loopback port in a thread.

    server.py, thread.py, wire.py    the MySQL server, its thread and loop; one connection: packets, login, commands
    session.py      what each statement does, and what SET and @@ know
    statements.py   statements parsed and translated once, kept by their shape
    queries.py, expressions.py, writes.py    MySQL's statements and expressions rewritten for SQLite
    backend.py, storing.py      SQLite, transactions, the write lock; what a write stores, and why it failed
    values.py, functions.py     values, errors, comparisons as MySQL has them
    schema.py, information.py   the tables that exist; SHOW, DESCRIBE, the information schema
    redis.py        the Redis server

They are for teaching, not for production: one process, a temporary file, and the SQL of an ordinary application.
What they would answer otherwise than MySQL they refuse, with error 1235 and the providers that can.
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

if TYPE_CHECKING:
    from labkit.embedded.redis import RedisServer
    from labkit.embedded.server import MysqlServer

__all__ = ["run_mysql", "run_redis"]


@asynccontextmanager
async def run_mysql(folder: Path) -> AsyncIterator[MysqlServer]:
    """
    Run the MySQL server while the block runs, its data in `folder`, which is the caller's to delete.

    Raises `CannotStart` when a port or a file can't be had. At the end clients are cut off, the thread gone.
    Starting and stopping block the loop for some milliseconds, so that no cancellation can come between.
    """
    from labkit.embedded.server import MysqlServer

    server = MysqlServer(folder)
    try:
        server.start()
    except (OSError, sqlite3.Error) as fault:
        raise CannotStart(f"The embedded MySQL server did not start: {fault}.") from fault
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def run_redis() -> AsyncIterator[RedisServer]:
    """Run the Redis server while the block runs; for the rest like `run_mysql`."""
    from labkit.embedded.redis import RedisServer

    server = RedisServer()
    try:
        server.start()
    except OSError as fault:
        raise CannotStart(f"The embedded Redis server did not start: {fault}.") from fault
    try:
        yield server
    finally:
        server.stop()
