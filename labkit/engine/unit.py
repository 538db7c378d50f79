"""The unit of work: a session that begins in words, and remembers what must follow its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection, event, inspect
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction

from labkit.engine.keys import Key, keys_of, unique_keys
from labkit.engine.models import Base

__all__ = ["UnitOfWork", "run_to_completion"]

T = TypeVar("T")

# SQLite would refuse a reader that turns writer while another writes; asking first makes it wait instead.
BEGIN = {"mysql": "BEGIN", "sqlite": "BEGIN IMMEDIATE"}


class UnitOfWork(Session):
    """
    The session behind an `AsyncSession` of the engine.

    `stale` holds the cache keys of the rows it changed, `outbox` the messages published in it: both take effect
    after the commit, or never.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stale: set[Key] = set()
        self.outbox: list[tuple[str, str]] = []


@event.listens_for(UnitOfWork, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested:
        connection.exec_driver_sql(BEGIN[connection.dialect.name])


@event.listens_for(UnitOfWork, "after_flush")
def _remember_stale(session: UnitOfWork, context: UOWTransaction) -> None:
    # A new row can't be in the cache yet, so it costs no message to Redis.
    for instance in (*session.dirty, *session.deleted):
        session.stale.update(_keys_before_and_after(instance))


def _keys_before_and_after(instance: Base) -> list[Key]:
    state = inspect(instance)
    model = type(instance)
    after = state.dict
    before = dict(after)
    for name in {name for key in unique_keys(model) for name in key}:
        replaced = state.attrs[name].history.deleted
        if replaced:
            before[name] = replaced[0]
    return [*keys_of(model, before), *keys_of(model, after)]


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """
    Run `work` to its end even when the caller is cancelled meanwhile; the cancellation is delivered afterwards.

    A commit or a release that stops half-way would leave a connection that nobody owns.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()
