"""Packets: MySQL's frames on a stream, and word at once when the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from mysql_mimic.packets import make_text_resultset_row
from mysql_mimic.results import ResultColumn

__all__ = ["PacketStream", "WireReader"]

LONGEST = 0xFFFFFF  # a longer packet goes on in the next frame
FULL = 2**15  # bytes collected before they are sent


class WireReader(asyncio.StreamReader):
    """Say at once when the client has gone, also while nobody reads."""

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
        self._frame(data)
        if drain or len(self._buffer) >= FULL:
            await self.drain()

    def write_many(self, packets: Sequence[bytes]) -> None:
        """Collect packets."""
        for packet in packets:
            self._frame(packet)

    def write_text_rows(self, rows: Sequence[Sequence[Any]], columns: Sequence[ResultColumn]) -> None:
        """Collect rows."""
        for row in rows:
            self._frame(make_text_resultset_row(row, columns))

    def _frame(self, data: bytes) -> None:
        for at in range(0, len(data) + 1, LONGEST):
            piece = data[at : at + LONGEST]
            self._buffer += len(piece).to_bytes(3, "little") + bytes((self._number,)) + piece
            self._number = (self._number + 1) & 0xFF

    async def drain(self) -> None:
        """Send what was collected, and wait while the client is slow to take it."""
        if self._buffer:
            self.writer.write(bytes(self._buffer))
            self._buffer.clear()
        await self.writer.drain()
