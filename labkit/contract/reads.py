"""Reads: what an engine asks the database about one row, counted, and held before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.util import await_only

from labkit.engine import Engine

__all__ = ["Reads", "held_reads"]


class Reads:
    """How often a value was asked for, and the gate at which the questions wait."""

    def __init__(self, value: object) -> None:
        self.count = 0
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self._value = repr(value)

    def __call__(self, connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        """Be told by SQLAlchemy of a statement that is about to be sent."""
        if statement.startswith("SELECT") and self._value in repr(parameters):
            self.count += 1
            self.begun.set()
            await_only(self.let_go.wait())


@asynccontextmanager
async def held_reads(engine: Engine, value: object) -> AsyncIterator[Reads]:
    """Hold each SELECT that asks for `value` until `let_go` is set."""
    async with engine.session() as session:
        watched = session.get_bind()
    reads = Reads(value)
    event.listen(watched, "before_cursor_execute", reads)
    try:
        yield reads
    finally:
        reads.let_go.set()
        event.remove(watched, "before_cursor_execute", reads)
