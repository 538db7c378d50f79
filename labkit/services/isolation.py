"""
Services for one user among several: a separate schema on the same servers, gone afterwards.

The engine's keys in Redis begin with the name of its schema. Clients of Redis carry it as their name, so that
`redis_clients` lists those of one user. As a script, run by `reap.py` when the user's process is gone, this removes
what the services on stdin name.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

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
PATIENCE = 5  # seconds for a server to answer, and for a table to be let go


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
    redis, _, query = services.redis_url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True)) | {"client_name": schema}
    return replace(
        services,
        database_url=database.render_as_string(hide_password=False),
        redis_url=f"{redis}?{urlencode(options)}",
    )


def _schema(services: Services) -> str:
    from sqlalchemy.engine import make_url

    return str(make_url(services.database_url).database)


async def _make(services: Services, schema: str) -> bool:
    """Make a schema; return False if the account may not."""
    from asyncmy.errors import MySQLError

    try:
        async with asyncio.timeout(PATIENCE), server_cursor(services) as cursor:
            await cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    except MySQLError as fault:
        if fault.args[0] in MAY_NOT:
            return False
        raise Unreachable(f"A schema was to be made for you, and the database said: {fault.args[-1]}.") from fault
    except TimeoutError:
        raise Unreachable(
            f"A schema was to be made for you, and the database did not answer in {PATIENCE} seconds."
        ) from None
    return True


async def _remove(own: Services) -> bool:
    """Remove a schema, its connections and its keys; return False if a server didn't let us."""
    return all(await asyncio.gather(_done(_remove_schema(own)), _done(_remove_keys(own))))


async def _done(removal: Coroutine[Any, Any, None]) -> bool:
    from asyncmy.errors import MySQLError
    from redis.exceptions import RedisError

    try:
        async with asyncio.timeout(PATIENCE):
            await removal
    except (OSError, RuntimeError, MySQLError, RedisError) as fault:  # RuntimeError: Python ends, without threads
        return isinstance(fault, MySQLError) and fault.args[0] == UNKNOWN_DATABASE  # somebody else removed it
    return True


async def _remove_schema(own: Services) -> None:
    # A connection that was forgotten in a transaction would keep its tables.
    for left in await connections(own):
        await kill_connection(own, left.id)
    async with server_cursor(own) as cursor:
        await cursor.execute(f"SET lock_wait_timeout = {PATIENCE}")
        await cursor.execute(f"DROP DATABASE {_schema(own)}")


async def _remove_keys(own: Services) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(own.redis_url) as client:
        keys = [key async for key in client.scan_iter(f"labkit:{_schema(own)}:*", count=1000)]
        if keys:
            await client.unlink(*keys)


def main() -> None:
    """Remove what stdin names."""
    database_url, redis_url = json.load(sys.stdin)
    asyncio.run(_remove(Services("url", database_url, redis_url, {}, CAPABILITIES["url"])))


if __name__ == "__main__":
    main()
