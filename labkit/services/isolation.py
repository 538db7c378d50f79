"""
Services for one user among several: a separate schema on the same servers, gone afterwards.

The engine's keys in Redis begin with the name of its schema. Clients of Redis carry it as their name, so that
`redis_clients` lists those of one user. As a script, run by `reap.py` when the user's process is gone, this removes
what the services on stdin name.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from labkit.errors import Unreachable
from labkit.process import reaper
from labkit.services.evidence import connections, kill_connection, server_cursor
from labkit.services.providers import start_services
from labkit.services.services import CAPABILITIES, Services

__all__ = ["isolate"]

IN_PROCESS = ("embedded", "sqlite")  # what runs in this process is started anew, in some hundredths of a second
# The server does not let this account make a schema; with 1235 it is an embedded one, reached by its URL.
MAY_NOT = {1044, 1142, 1227, 1235}
UNKNOWN_DATABASE = 1049
CLIENT_NAME = re.compile(r"[?&]client_name=labkit_[0-9a-f]{12}")
PATIENCE = 5  # seconds for a table to be let go, and for Redis to log in


@asynccontextmanager
async def isolate(services: Services) -> AsyncIterator[Services]:
    """
    Give services of which no other user sees rows, cached rows, connections or clients; they end with the block.

    On your own servers (the provider `url`) that takes an account which may create schemas; without, and with
    SQLite, `services` themselves are given. Channels of Redis have no owner: give them names of your own. Raises
    `Unreachable` when the server doesn't answer.
    """
    if services.provider in IN_PROCESS:
        async with start_services(services.provider) as own:
            yield own
    elif services.database_url.startswith("sqlite"):
        yield services
    else:
        async with _in_schema(services) as own:
            yield own


@asynccontextmanager
async def _in_schema(services: Services) -> AsyncIterator[Services]:
    own = _renamed(services, f"labkit_{secrets.token_hex(6)}")
    # By a command's stdin, and not among its arguments: the URLs hold passwords.
    urls = json.dumps([own.database_url, own.redis_url])
    removal = json.dumps({"command": [sys.executable, "-P", __file__], "stdin": urls})
    reaper.keep("command", removal)
    if not await _make(services, _schema(own)):
        reaper.release("command", removal)
        yield services
        return
    try:
        yield own
    finally:
        if await _remove(own):  # else the reaper tries it once more
            reaper.release("command", removal)


def _renamed(services: Services, schema: str) -> Services:
    from sqlalchemy.engine import make_url

    database = make_url(services.database_url).set(database=schema)
    redis = CLIENT_NAME.sub("", services.redis_url)
    return replace(
        services,
        database_url=database.render_as_string(hide_password=False),
        redis_url=f"{redis}{'&' if '?' in redis else '?'}client_name={schema}",
    )


def _schema(services: Services) -> str:
    from sqlalchemy.engine import make_url

    return str(make_url(services.database_url).database)


async def _make(services: Services, schema: str) -> bool:
    """Make a schema; return False if the account may not."""
    from asyncmy.errors import MySQLError

    try:
        async with server_cursor(services) as cursor:
            await cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    except MySQLError as fault:
        if fault.args[0] in MAY_NOT:
            return False
        raise Unreachable(f"A schema was to be made for you, and the database said: {fault.args[-1]}.") from fault
    return True


async def _remove(own: Services) -> bool:
    """Remove a schema, its connections and its keys; return False if a server didn't let us."""
    from asyncmy.errors import MySQLError
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    schema = _schema(own)
    try:
        # A connection that was forgotten in a transaction would keep its tables.
        for left in await connections(own):
            await kill_connection(own, left.id)
        async with server_cursor(own) as cursor:
            await cursor.execute(f"SET lock_wait_timeout = {PATIENCE}")
            await cursor.execute(f"DROP DATABASE {schema}")
        async with Redis.from_url(own.redis_url, socket_connect_timeout=PATIENCE) as client:
            keys = [key async for key in client.scan_iter(f"labkit:{schema}:*", count=1000)]
            if keys:
                await client.unlink(*keys)
    except (OSError, RuntimeError, MySQLError, RedisError) as fault:  # RuntimeError: Python ends, without threads
        return isinstance(fault, MySQLError) and fault.args[0] == UNKNOWN_DATABASE
    return True


def main() -> None:
    """Remove what stdin names."""
    database_url, redis_url = json.load(sys.stdin)
    asyncio.run(_remove(Services("url", database_url, redis_url, {}, CAPABILITIES["url"])))


if __name__ == "__main__":
    main()
