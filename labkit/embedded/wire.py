"""The wire: one client's connection, in MySQL's protocol: its packets, its login, its commands, its result sets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from mysql_mimic.auth import IdentityProvider
from mysql_mimic.charset import CharacterSet
from mysql_mimic.connection import Connection
from mysql_mimic.constants import DEFAULT_SERVER_CAPABILITIES
from mysql_mimic.control import LocalControl
from mysql_mimic.errors import ErrorCode, MysqlError
from mysql_mimic.packets import make_text_resultset_row
from mysql_mimic.results import ResultColumn, ResultSet
from mysql_mimic.types import Capabilities, ColumnType, Commands, ServerStatus

from labkit.embedded.information import Rows
from labkit.embedded.session import Done, Session
from labkit.embedded.values import BLOBS, TEXTS, SqlFault, SqlType, refuse

__all__ = ["PacketStream", "Wire", "WireReader"]

log = logging.getLogger(__name__)

CAPABILITIES = DEFAULT_SERVER_CAPABILITIES | Capabilities.CLIENT_FOUND_ROWS | Capabilities.CLIENT_TRANSACTIONS
LOGIN_TIMEOUT = 10
LONGEST = 0xFFFFFF  # a longer packet goes on in the next frame
FULL = 2**15  # bytes collected before they are sent
TYPES = {
    "tinyint": ColumnType.TINY, "smallint": ColumnType.SHORT, "mediumint": ColumnType.INT24, "int": ColumnType.LONG,
    "bigint": ColumnType.LONGLONG, "float": ColumnType.FLOAT, "double": ColumnType.DOUBLE,
    "decimal": ColumnType.NEWDECIMAL, "datetime": ColumnType.DATETIME, "timestamp": ColumnType.TIMESTAMP,
    "date": ColumnType.DATE, "json": ColumnType.JSON, "char": ColumnType.STRING, "enum": ColumnType.STRING,
}  # fmt: skip
GUESSES = {int: ColumnType.LONGLONG, float: ColumnType.DOUBLE, bytes: ColumnType.BLOB}


class WireReader(asyncio.StreamReader):
    """Say at once when the client has gone, also while nothing is read."""

    on_gone: Callable[[], None] | None = None

    def feed_eof(self) -> None:
        """Note the end, and tell the connection."""
        super().feed_eof()
        self._tell()

    def set_exception(self, exc: Exception) -> None:
        """Note a broken socket, and tell the connection."""
        super().set_exception(exc)
        self._tell()

    def _tell(self) -> None:
        if self.on_gone is not None:
            self.on_gone()


class PacketStream:
    """
    Read and write packets, in place of mysql-mimic's stream.

    That one is compiled, and Python 3.12 warns whenever such a coroutine is cancelled, as a killed one is.
    """

    def __init__(self, reader: WireReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._buffer = bytearray()
        self._number = 0

    def reset_seq(self) -> None:
        """Number the packets from 0 again: the next command begins."""
        self._number = 0

    async def read(self) -> bytes:
        """Return the next packet; raises `IncompleteReadError` or `ConnectionError` when the client has gone."""
        data = b""
        while True:
            header = await self.reader.readexactly(4)
            length, number = int.from_bytes(header[:3], "little"), header[3]
            if number != self._number:
                raise ConnectionError(f"packet {self._number} was expected, {number} came")
            self._number = (self._number + 1) & 0xFF
            data += await self.reader.readexactly(length)
            if length < LONGEST:
                return data

    async def write(self, data: bytes, drain: bool = True) -> None:
        """Send a packet, or only collect it."""
        self.write_many([data])
        if drain or len(self._buffer) >= FULL:
            await self.drain()

    def write_many(self, packets: Sequence[bytes]) -> None:
        """Collect packets."""
        for data in packets:
            for at in range(0, len(data) + 1, LONGEST):
                piece = data[at : at + LONGEST]
                self._buffer += len(piece).to_bytes(3, "little") + bytes((self._number,)) + piece
                self._number = (self._number + 1) & 0xFF

    def write_text_rows(self, rows: Sequence[Sequence[Any]], columns: Sequence[ResultColumn]) -> None:
        """Collect rows."""
        self.write_many([make_text_resultset_row(row, columns) for row in rows])

    async def drain(self) -> None:
        """Send what was collected, and wait while the client is slow to take it."""
        if self._buffer:
            self.writer.write(bytes(self._buffer))
            self._buffer.clear()
        await self.writer.drain()


class Wire(Connection):  # type: ignore[misc]
    """Serve one client. mysql-mimic does the handshake and the packets, this class the commands."""

    def __init__(self, stream: PacketStream, session: Session, accounts: IdentityProvider, number: int) -> None:
        super().__init__(stream, session, LocalControl(), accounts, CAPABILITIES)
        self.connection_id = session.connection_id = number
        session.host, port = stream.writer.get_extra_info("peername")[:2]
        self.host = f"{session.host}:{port}"
        # Told from the first packet on: a client that wants autocommit off asks only if it is told that it is on.
        self.status_flags = ServerStatus.SERVER_STATUS_AUTOCOMMIT
        self.command = "Connect"
        self.info: str | None = None
        self.since = time.monotonic()
        self._busy = False
        self._killed = ""
        stream.reader.on_gone = self._gone

    @property
    def lab(self) -> Session:
        """Return the session, as our own class."""
        session: Session = self.session
        return session

    @property
    def server_charset(self) -> CharacterSet:
        """Return the only character set there is."""
        return CharacterSet.utf8mb4

    client_charset = server_charset

    async def serve(self) -> None:
        """Serve the client until it leaves, is killed, or has been idle for too long."""
        self._task = asyncio.current_task()
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT):
                await self.connection_phase()
            if self.session.username is not None:
                self.lab.count_found = Capabilities.CLIENT_FOUND_ROWS in self.capabilities
                await self._commands()
        except SqlFault as fault:
            await self._refuse(fault)
        except (ConnectionError, MysqlError, asyncio.IncompleteReadError, TimeoutError):
            pass
        except asyncio.CancelledError:
            if not self._killed:
                raise
        finally:
            self.lab.backend.close()

    async def authenticate(self, *args: Any, **kwargs: Any) -> None:
        """Log the client in, or refuse it: first for its database, then for its password."""
        if self.session.database is not None:
            self.lab.use(self.session.database)
        await super().authenticate(*args, **kwargs)

    def error(self, **kwargs: Any) -> bytes:
        """Return the packet for an error of the login, in MySQL's words."""
        if kwargs.get("code") != ErrorCode.ACCESS_DENIED_ERROR:
            return super().error(**kwargs)  # type: ignore[no-any-return]
        user = self.session.variables.get("external_user")
        text = f"Access denied for user '{user}'@'{self.lab.host}' (using password: YES)"
        return error_packet(SqlFault(1045, text))

    async def _commands(self) -> None:
        while True:
            self._rest()
            async with asyncio.timeout(float(self.session.variables.get("wait_timeout"))):
                data = await self.stream.read()
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
        else:
            raise refuse(f"the command {Commands(command).name}")

    async def _query(self, data: bytes) -> None:
        if Capabilities.CLIENT_QUERY_ATTRIBUTES in self.capabilities:
            data = data[2:]  # no attributes: their count, 0, and the count of sets, 1
        # Bytes that are no UTF-8, of `_binary'…'` literals, come through as surrogates.
        sql = data.decode("utf-8", "surrogateescape")
        self.info = sql
        answer = await self.lab.execute(sql)
        backend = self.lab.backend
        self.status_flags = ServerStatus.SERVER_STATUS_AUTOCOMMIT if backend.autocommit else ServerStatus(0)
        if backend.in_transaction:
            self.status_flags |= ServerStatus.SERVER_STATUS_IN_TRANS
        if isinstance(answer, Done):
            await self.stream.write(self.ok(affected_rows=answer.affected, last_insert_id=answer.insert_id % 2**64))
        else:
            await self.write_text_resultset(result_set(answer))

    async def _refuse(self, fault: SqlFault) -> None:
        await self.stream.write(error_packet(fault))

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


def error_packet(fault: SqlFault) -> bytes:
    """Return MySQL's packet for an error. mysql-mimic's own knows only some numbers."""
    head = b"\xff" + struct.pack("<H", fault.number) + b"#" + fault.sqlstate.encode()
    return head + fault.text.encode("utf-8", "replace")


def result_set(answer: Rows) -> ResultSet:
    """Return an answer with the column types by which the client's driver converts its rows."""
    columns = [_column(name, kind, answer.rows, at) for at, (name, kind) in enumerate(answer.columns)]
    return ResultSet(rows=answer.rows, columns=columns)


def _column(name: str, kind: SqlType, rows: Any, at: int) -> ResultColumn:
    wire = TYPES.get(kind.name, ColumnType.VAR_STRING)
    if kind.name in ("any", "null"):
        first = next((row[at] for row in rows if row[at] is not None), None)
        wire = GUESSES.get(type(first), ColumnType.VAR_STRING)
    elif kind.name in BLOBS or (kind.name in TEXTS and kind.name.endswith("text")):
        wire = ColumnType.BLOB
    if wire == ColumnType.BLOB and kind.name not in TEXTS:
        column = ResultColumn(name, wire, CharacterSet.binary)
        column.codec = "utf-8"  # for a text in such a column; Python has no codec called binary
        return column
    if kind.name == "float":  # it has no more digits than that
        return ResultColumn(name, wire, text_encoder=lambda column, value: f"{value:.6g}".encode())
    return ResultColumn(name, wire)
