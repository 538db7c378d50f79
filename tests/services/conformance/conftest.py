"""What the clauses share: raw connections, and the check that a missing capability is refused by name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncmy
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from labkit.errors import MissingCapability
from labkit.services import Capability, Services

PATIENCE = 15.0


class Client:
    """One raw connection of the driver, with the two calls that the clauses need."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.cursor: Any = connection.cursor()

    async def run(self, sql: str, *values: Any) -> int:
        """Run a statement and return its affected rows."""
        await self.cursor.execute(sql, values or None)
        return int(self.cursor.rowcount)

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        await self.cursor.execute(sql, values or None)
        return [tuple(row) for row in await self.cursor.fetchall()]

    async def value(self, sql: str, *values: Any) -> Any:
        [[value]] = await self.rows(sql, *values)
        return value

    async def fault(self, sql: str, *values: Any) -> Exception:
        """Run a statement that must fail, and return what the driver raised."""
        try:
            await self.cursor.execute(sql, values or None)
            await self.cursor.fetchall()
        except asyncmy.errors.MySQLError as fault:
            return fault
        raise AssertionError(f"{sql} did not fail")

    async def code(self, sql: str, *values: Any) -> int:
        """Run a statement that must fail, and return MySQL's number for the error."""
        return int((await self.fault(sql, *values)).args[0])

    @property
    def in_transaction(self) -> bool:
        return bool(self.connection._result.server_status & 1)


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
async def connect(clean_services: Services) -> AsyncIterator[Connect]:
    """Open raw connections; they are closed afterwards, also those that the server has ended."""
    url = make_url(clean_services.database_url)
    opened: list[Any] = []

    async def open_one(**options: Any) -> Client:
        options = {
            "user": url.username,
            "password": url.password,
            "db": url.database,
            "autocommit": True,
            **options,
        }
        connection = await asyncmy.connect(host=url.host, port=url.port, charset="utf8mb4", **options)
        opened.append(connection)
        return Client(connection)

    yield open_one
    for connection in opened:
        with contextlib.suppress(asyncmy.errors.MySQLError, ConnectionError, OSError):
            await asyncio.wait_for(connection.ensure_closed(), PATIENCE)
    await asyncio.sleep(0)  # lets transports that were cut off finish closing


@pytest.fixture
async def client(connect: Connect) -> Client:
    return await connect()


@pytest.fixture
async def engine(clean_services: Services) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(clean_services.database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def people(client: Client) -> Client:
    """Give a connection, and a table with a unique e-mail address."""
    await client.run(
        "CREATE TABLE people (id INT NOT NULL AUTO_INCREMENT, email VARCHAR(50) NOT NULL, age INT, "
        "PRIMARY KEY (id), UNIQUE KEY email (email)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    )
    return client


def lacks(services: Services, capability: Capability) -> bool:
    """Tell whether the provider lacks `capability`; then asking for it must name a provider that has it."""
    if capability in services.capabilities:
        services.require(capability)
        return False
    with pytest.raises(MissingCapability, match=r"Use one of: .*\b(local|containers|embedded)\b"):
        services.require(capability)
    return True


async def isolation_of(client: Client) -> str:
    """Return a connection's isolation level; MariaDB 10 has another name for it."""
    try:
        return str(await client.value("SELECT @@transaction_isolation"))
    except asyncmy.errors.MySQLError:
        return str(await client.value("SELECT @@tx_isolation"))


async def until_waiting(watcher: Client, number: int, text: str) -> None:
    """Wait until the server says that connection `number` runs a statement with `text` in it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for row in await watcher.rows("SHOW FULL PROCESSLIST"):
                if row[0] == number and text in str(row[7]):
                    return


__all__ = ["Client", "Connect", "isolation_of", "lacks", "until_waiting"]
