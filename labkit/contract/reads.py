"""Reads: what an engine sends to the database, counted, and held before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.util import await_only

from labkit.engine import Engine

__all__ = ["Reads", "held_reads", "sent_through"]


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


@contextmanager
def sent_through(engine: Engine) -> Iterator[list[str]]:
    """Give a list that grows by each statement that is about to be sent, by whomever."""
    sent: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    for each in (engine.engine, engine.reader):
        event.listen(each.sync_engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        for each in (engine.engine, engine.reader):
            event.remove(each.sync_engine, "before_cursor_execute", hear)


@asynccontextmanager
async def held_reads(engine: Engine, value: object) -> AsyncIterator[Reads]:
    """Hold each SELECT that asks for `value` until `let_go` is set."""
    reads = Reads(value)
    event.listen(engine.reader.sync_engine, "before_cursor_execute", reads)
    try:
        yield reads
    finally:
        reads.let_go.set()
        event.remove(engine.reader.sync_engine, "before_cursor_execute", reads)
