"""The server: MySQL's protocol on a loopback port, in its own thread and event loop."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mysql_mimic.auth import IdentityProvider, NativePasswordAuthPlugin, User

from labkit.embedded.backend import Backend, Shared
from labkit.embedded.schema import DATABASE
from labkit.embedded.session import VERSION, Session
from labkit.embedded.statements import Planner
from labkit.embedded.thread import HOST, ServerThread
from labkit.embedded.values import SqlFault
from labkit.embedded.wire import PacketStream, Wire, WireReader
from labkit.errors import CannotStart

__all__ = ["MysqlServer", "run_mysql"]

USER = "lab"


class Accounts(IdentityProvider):  # type: ignore[misc]
    """Know one account, and let an unknown name fail as a wrong password does."""

    def __init__(self, name: str, password: str) -> None:
        self._name = name
        self._auth = NativePasswordAuthPlugin.create_auth_string(password)

    async def get_user(self, username: str) -> User:
        """Return the account of that name; an unknown one has a hash that no password gives."""
        secret = self._auth if username == self._name else "0" * 40
        return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)


class MysqlServer(ServerThread):
    """Serve SQLite to MySQL clients: what it knows it does as MySQL does, the rest it refuses."""

    version = VERSION

    def __init__(self, folder: Path) -> None:
        super().__init__("labkit-embedded-mysql")
        self.user, self.password = USER, secrets.token_urlsafe(18)
        self._path = folder / "mysql.sqlite"
        self._wires: dict[int, Wire] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 0

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL, with its password."""
        return f"mysql+asyncmy://{self.user}:{self.password}@{HOST}:{self.port}/{DATABASE}?charset=utf8mb4"

    def _is_others(self, record: logging.LogRecord) -> bool:
        """Return True if a log record is none of this server's: sqlglot warns of SQL that is refused anyway."""
        return record.thread != self._thread.ident

    async def _serve(self) -> None:
        self._shared = Shared(self._path)
        self._shared.create()
        self._planner = Planner(self._shared.catalog)
        self._accounts = Accounts(self.user, self.password)
        server = await self._loop.create_server(self._protocol, HOST, 0, backlog=1000)
        self._listens(server)
        sqlglot = logging.getLogger("sqlglot")
        sqlglot.addFilter(self._is_others)
        try:
            await self._stopping.wait()
        finally:
            sqlglot.removeFilter(self._is_others)
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._shared.threads.shutdown()

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(WireReader(), self._connected, loop=self._loop)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, WireReader)
        task = self._loop.create_task(self._serve_client(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve_client(self, reader: WireReader, writer: asyncio.StreamWriter) -> None:
        self._next += 1
        number = self._next
        session = Session(self, Backend(self._shared), self._planner)
        wire = self._wires[number] = Wire(PacketStream(reader, writer), session, self._accounts, number)
        try:
            await wire.serve()
        finally:
            del self._wires[number]
            wire.close()

    def process_list(self) -> list[tuple[Any, ...]]:
        """Return id, user, host, db, command, time, state and info of each connection."""
        now = time.monotonic()
        return [
            (n, w.session.username or "unauthenticated user", w.host, w.session.database, w.command,
             int(now - w.since), "" if w.info is None else "executing", w.info)
            for n, w in self._wires.items()
        ]  # fmt: skip

    def kill(self, number: int, *, query_only: bool) -> None:
        """End a connection, or just what it runs."""
        wire = self._wires.get(number)
        if wire is None:
            raise SqlFault(1094, f"Unknown thread id: {number}")
        wire.kill(query_only=query_only)


@asynccontextmanager
async def run_mysql(folder: Path) -> AsyncIterator[MysqlServer]:
    """
    Run the MySQL server while the block runs, its data in `folder`, which is the caller's to delete.

    Raises `CannotStart` when a port or a file can't be had. At the end clients are cut off, the thread gone.
    Starting and stopping block the loop for some milliseconds, so that no cancellation can come between.
    """
    server = MysqlServer(folder)
    try:
        server.start()
    except (OSError, sqlite3.Error) as fault:
        raise CannotStart(f"The embedded MySQL server did not start: {fault}.") from fault
    try:
        yield server
    finally:
        server.stop()
