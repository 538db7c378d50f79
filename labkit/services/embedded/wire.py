"""The wire: one client's connection, in MySQL's protocol, from its login to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mysql_mimic.auth import IdentityProvider, NativePasswordAuthPlugin, User
from mysql_mimic.charset import CharacterSet
from mysql_mimic.connection import Connection
from mysql_mimic.constants import DEFAULT_SERVER_CAPABILITIES
from mysql_mimic.control import LocalControl
from mysql_mimic.errors import MysqlError
from mysql_mimic.results import ResultColumn, ResultSet
from mysql_mimic.stream import ConnectionClosed, MysqlStream
from mysql_mimic.types import Capabilities, ColumnType, Commands, ServerStatus

from labkit.services.embedded.answers import Done, Rows
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.sqltypes import BLOBS, TEXTS, SqlType

if TYPE_CHECKING:
    from labkit.services.embedded.session import Session

__all__ = ["Accounts", "Wire", "WireReader"]

log = logging.getLogger(__name__)

CAPABILITIES = DEFAULT_SERVER_CAPABILITIES | Capabilities.CLIENT_FOUND_ROWS | Capabilities.CLIENT_TRANSACTIONS
TYPES = {
    "tinyint": ColumnType.TINY,
    "smallint": ColumnType.SHORT,
    "mediumint": ColumnType.INT24,
    "int": ColumnType.LONG,
    "bigint": ColumnType.LONGLONG,
    "float": ColumnType.FLOAT,
    "double": ColumnType.DOUBLE,
    "decimal": ColumnType.NEWDECIMAL,
    "datetime": ColumnType.DATETIME,
    "timestamp": ColumnType.TIMESTAMP,
    "date": ColumnType.DATE,
    "time": ColumnType.TIME,
    "json": ColumnType.JSON,
    "char": ColumnType.STRING,
    "enum": ColumnType.STRING,
}


class WireReader(asyncio.StreamReader):
    """Read whole packets' parts, and say at once when the client has gone."""

    on_gone: Callable[[], None] | None = None

    async def read(self, n: int = -1) -> bytes:
        """Return exactly `n` bytes, or none at the end."""
        try:
            return await self.readexactly(n)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    def feed_eof(self) -> None:
        """Note the end, and tell the connection."""
        super().feed_eof()
        if self.on_gone is not None:
            self.on_gone()

    def set_exception(self, exc: Exception) -> None:
        """Note a broken socket, and tell the connection."""
        super().set_exception(exc)
        if self.on_gone is not None:
            self.on_gone()


class Accounts(IdentityProvider):
    """Know one account, and let an unknown name fail as a wrong password does."""

    def __init__(self, name: str, password: str) -> None:
        self._name = name
        self._auth = NativePasswordAuthPlugin.create_auth_string(password)

    async def get_user(self, username: str) -> User:
        """Return the account of that name; an unknown one can't be logged in to."""
        secret = self._auth if username == self._name else "0" * 40
        return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)


class Wire(Connection):
    """Serve one client. mysql-mimic does the handshake and the packets, this class the commands."""

    def __init__(self, stream: MysqlStream, session: Session, accounts: Accounts, number: int) -> None:
        super().__init__(stream, session, LocalControl(), accounts, CAPABILITIES)  # type: ignore[arg-type]
        self.connection_id = session.connection_id = number
        self.host = "%s:%s" % stream.writer.get_extra_info("peername")[:2]
        self.command = "Connect"
        self.info: str | None = None
        self.since = time.monotonic()
        self._busy = False
        self._killed = ""
        reader = stream.reader
        assert isinstance(reader, WireReader)
        reader.on_gone = self._gone

    @property
    def lab(self) -> Session:
        """Return the session, as our own class."""
        return self.session  # type: ignore[return-value]

    @property
    def server_charset(self) -> CharacterSet:
        """Return the only character set there is."""
        return CharacterSet.utf8mb4

    client_charset = server_charset

    async def serve(self) -> None:
        """Serve the client until it leaves, is killed, or has been idle for too long."""
        self._task = asyncio.current_task()
        try:
            await self.connection_phase()
            if self.session.username is not None:
                self.lab.count_found = Capabilities.CLIENT_FOUND_ROWS in self.capabilities
                if self.session.database is not None:
                    self.lab.use(self.session.database)
                await self._commands()
        except SqlFault as fault:
            await self._refuse(fault)
        except (ConnectionError, ConnectionClosed, MysqlError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            if not self._killed:
                raise
        finally:
            self.lab.backend.close()

    async def authenticate(self, *args: Any, **kwargs: Any) -> None:
        """Log the client in, or refuse it in MySQL's words."""
        await super().authenticate(*args, **kwargs)

    async def _commands(self) -> None:
        while True:
            self._rest()
            try:
                async with asyncio.timeout(float(self.session.variables.get("wait_timeout"))):
                    data = await self.stream.read()
            except TimeoutError:
                return
            if not data or data[0] == Commands.COM_QUIT:
                return
            await self._answer(data)
            self.stream.reset_seq()

    def _rest(self) -> None:
        self.command, self.info, self.since = "Sleep", None, time.monotonic()

    async def _answer(self, data: bytes) -> None:
        self.command, self.since, self._busy = "Query", time.monotonic(), True
        try:
            await self._perform(data[0], data[1:])
        except SqlFault as fault:
            await self._refuse(fault)
        except asyncio.CancelledError:
            if self._killed != "QUERY":
                raise
            self._killed = ""
            assert self._task is not None
            self._task.uncancel()
            await self._refuse(SqlFault(1317, "Query execution was interrupted"))
        except Exception as error:
            log.debug("a statement failed unexpectedly", exc_info=True)
            await self._refuse(SqlFault(1105, f"labkit's embedded server failed: {type(error).__name__}: {error}"))
        finally:
            self._busy = False

    async def _perform(self, command: int, data: bytes) -> None:
        if command == Commands.COM_QUERY:
            await self._query(data)
        elif command == Commands.COM_PING:
            await self.stream.write(self.ok())
        elif command == Commands.COM_INIT_DB:
            self.lab.use(data.decode())
            await self.stream.write(self.ok())
        elif command == Commands.COM_RESET_CONNECTION:
            raise refuse("COM_RESET_CONNECTION")
        else:
            raise refuse(f"the command {Commands(command).name}")

    async def _query(self, data: bytes) -> None:
        if Capabilities.CLIENT_QUERY_ATTRIBUTES in self.capabilities:
            data = data[2:]  # no attributes: their count, 0, and the count of sets, 1
        # Bytes that are no UTF-8, of `_binary'…'` literals, come through as surrogates.
        sql = data.decode("utf-8", "surrogateescape")
        self.info = sql
        answer = await self.lab.execute(sql)
        self._note_status()
        if isinstance(answer, Done):
            await self.stream.write(self.ok(affected_rows=answer.affected, last_insert_id=answer.insert_id))
        else:
            await self.write_text_resultset(result_set(answer))

    def _note_status(self) -> None:
        backend = self.lab.backend
        flags = ServerStatus.SERVER_STATUS_AUTOCOMMIT if backend.autocommit else ServerStatus(0)
        self.status_flags = flags | (
            ServerStatus.SERVER_STATUS_IN_TRANS if backend.in_transaction else ServerStatus(0)
        )

    async def _refuse(self, fault: SqlFault) -> None:
        """Send an error. mysql-mimic's own packet knows only some numbers."""
        packet = b"\xff" + struct.pack("<H", fault.number) + b"#" + fault.sqlstate.encode()
        await self.stream.write(packet + fault.text.encode("utf-8", "replace"))

    def kill(self, kind: Any = None, *, query_only: bool = False) -> None:
        """End this connection, or just what it runs, if it runs anything."""
        if self._task is None or (query_only and not self._busy):
            return
        self._killed = "QUERY" if query_only else "CONNECTION"
        self._task.cancel()

    def _gone(self) -> None:
        """End what runs for a client that has gone."""
        if self._busy:
            self.kill()

    def close(self) -> None:
        """Close the socket at once."""
        with contextlib.suppress(Exception):
            self.stream.writer.transport.abort() if self._killed else self.stream.writer.close()


def result_set(answer: Rows) -> ResultSet:
    """Return the answer with the types that the client's driver converts by."""
    samples = [
        next((row[n] for row in answer.rows if row[n] is not None), None) for n in range(len(answer.columns))
    ]
    columns = [_column(name, kind, sample) for (name, kind), sample in zip(answer.columns, samples, strict=True)]
    return ResultSet(rows=answer.rows, columns=columns)


def _column(name: str, kind: SqlType, sample: Any) -> ResultColumn:
    if kind.name in ("any", "null"):
        guessed = {int: ColumnType.LONGLONG, float: ColumnType.DOUBLE, bytes: ColumnType.BLOB}
        wire = guessed.get(type(sample), ColumnType.VAR_STRING)
        return _bytes(name) if wire == ColumnType.BLOB else ResultColumn(name, wire)
    if kind.name in BLOBS:
        return _bytes(name)
    if kind.name in TEXTS:
        wire = ColumnType.BLOB if kind.name.endswith("text") else TYPES.get(kind.name, ColumnType.VAR_STRING)
        return ResultColumn(name, wire)
    return ResultColumn(name, TYPES[kind.name])


def _bytes(name: str) -> ResultColumn:
    column = ResultColumn(name, ColumnType.BLOB, CharacterSet.binary)
    column.codec = "utf-8"  # for a text in such a column; Python has no codec called binary
    return column
