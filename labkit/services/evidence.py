"""Evidence: what the servers themselves say, read through its own connection, apart from any engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import InvalidInput
from labkit.services.services import Capability, Services

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = [
    "RedisClient",
    "ServerConnection",
    "connections",
    "count_rows",
    "kill_connection",
    "redis_clients",
    "server_cursor",
]

CONNECT_TIMEOUT = 5
# Where MySQL has this table its old statement warns that it will go; other servers don't have the table.
LIST = "SELECT * FROM performance_schema.processlist"
LOOK_FOR_LIST = (
    "SELECT COUNT(*) FROM information_schema.tables"
    " WHERE table_schema = 'performance_schema' AND table_name = 'processlist'"
)


@dataclass(frozen=True)
class ServerConnection:
    """One connection as the database server lists it: `command` is "Sleep" when it is idle, `info` what it runs."""

    id: int
    user: str
    command: str
    seconds: int
    info: str | None


@dataclass(frozen=True)
class RedisClient:
    """One client as Redis lists it: `command` is its last one, `subscriptions` its channels and patterns."""

    id: int
    address: str
    name: str
    command: str
    subscriptions: int
    seconds_idle: int


async def connections(services: Services) -> list[ServerConnection]:
    """
    Return the server's connections to this database, by id, but for this function's own.

    Raises `MissingCapability` where no server lists them.
    """
    services.require(Capability.PROCESSLIST)
    async with server_cursor(services) as cursor:
        await cursor.execute("SELECT CONNECTION_ID()")
        [own] = await cursor.fetchone()
        await cursor.execute(LOOK_FOR_LIST)
        [has_table] = await cursor.fetchone()
        await cursor.execute(LIST if has_table else "SHOW FULL PROCESSLIST")
        rows = [row[:8] for row in await cursor.fetchall()]
    return sorted(
        (
            ServerConnection(int(number), user, command, int(seconds or 0), info)
            for number, user, _host, database, command, seconds, _state, info in rows
            if number != own and database == _database(services)
        ),
        key=lambda connection: connection.id,
    )


def _database(services: Services) -> str | None:
    from sqlalchemy.engine import make_url

    return make_url(services.database_url).database


async def kill_connection(services: Services, id: int) -> None:
    """End one connection of the database server; do nothing if it has gone by itself."""
    services.require(Capability.KILL)
    from asyncmy.errors import MySQLError

    async with server_cursor(services) as cursor:
        try:
            await cursor.execute(f"KILL {int(id)}")
        except MySQLError as fault:
            if fault.args[0] != 1094:  # no such connection any more
                raise


async def count_rows(services: Services, table: str, **equals: object) -> int:
    """
    Return how many committed rows `table` has, of those whose columns equal the given values.

    None means NULL. A table or column that doesn't exist is the database's own error.
    """
    if services.database_url.startswith("sqlite"):
        return await _count_sqlite(services, table, equals)
    async with server_cursor(services) as cursor:
        values = tuple(value for value in equals.values() if value is not None)
        await cursor.execute(_counting(table, equals, "%s"), values)
        [count] = await cursor.fetchone()
        return int(count)


async def redis_clients(services: Services) -> list[RedisClient]:
    """Return Redis's clients, by id, but for this function's own: all, or those of the URL's `client_name`."""
    from redis.asyncio.connection import parse_url

    services.require(Capability.CLIENT_LIST)
    async with _redis(services) as client:
        own = await client.client_id()
        found = await client.client_list()
    name = parse_url(services.redis_url).get("client_name")
    others = [row for row in found if int(row["id"]) != own and (name is None or row.get("name") == name)]
    return sorted((_redis_client(row) for row in others), key=lambda client: client.id)


def _redis_client(row: dict[str, str]) -> RedisClient:
    subscriptions = int(row.get("sub", 0)) + int(row.get("psub", 0))
    command, idle = row.get("cmd", ""), int(row.get("idle", 0))
    return RedisClient(int(row["id"]), row["addr"], row.get("name", ""), command, subscriptions, idle)


def _counting(table: str, equals: dict[str, object], place: str) -> str:
    for name in (table, *equals):
        if "`" in name or "\0" in name or "%" in name:
            raise InvalidInput(
                f"The name {name!r} can't be sent to the database.", remedy="Use the table's own name."
            )
    conditions = " AND ".join(f"`{c}` IS NULL" if v is None else f"`{c}` = {place}" for c, v in equals.items())
    return f"SELECT COUNT(*) FROM `{table}`" + (f" WHERE {conditions}" if conditions else "")


async def _count_sqlite(services: Services, table: str, equals: dict[str, object]) -> int:
    import aiosqlite
    from sqlalchemy.engine import make_url

    path = make_url(services.database_url).database or ":memory:"
    async with aiosqlite.connect(path) as db:
        values = [value for value in equals.values() if value is not None]
        async with db.execute(_counting(table, equals, "?"), values) as cursor:
            row = await cursor.fetchone()
            return int(row[0]) if row else 0


@asynccontextmanager
async def server_cursor(services: Services) -> AsyncIterator[Any]:
    """Open our own connection, as an engine would, with autocommit; give its cursor, and close it properly."""
    import asyncmy
    from sqlalchemy.engine import make_url

    services.require(Capability.SERVER)
    url = make_url(services.database_url)
    _, given = url.get_dialect()().create_connect_args(url)  # a socket, keys for TLS and what else a URL can say
    ours = {"charset": "utf8mb4", "connect_timeout": CONNECT_TIMEOUT}
    connection = await asyncmy.connect(**{**ours, **given, "autocommit": True})
    try:
        async with connection.cursor() as cursor:
            yield cursor
    finally:
        await connection.ensure_closed()


@asynccontextmanager
async def _redis(services: Services) -> AsyncIterator[Redis]:
    from redis.asyncio import Redis

    client = Redis.from_url(services.redis_url, single_connection_client=True, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()
