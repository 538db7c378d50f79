"""
BUG: the pool is not closed with the engine.

Symptom: the server goes on listing connections of an engine that was closed; with aiomysql `Event loop is closed`
comes out of `Connection.__del__` after the program's last line.

Sources: https://github.com/aio-libs/aiomysql/issues/594, https://github.com/aio-libs/aiomysql/issues/992
"""

from __future__ import annotations

from labkit.engine import Engine

__all__ = ["NeverDisposed"]


class NeverDisposed(Engine):
    """The correct engine, but for one seam."""

    async def dispose(self) -> None:
        """Close every connection in the loop that opened it."""
        # "Every session has given its connection back: there is nothing left to close."
