"""The unit of work: a session that begins in words, and remembers what must follow its commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction

from labkit.engine.keys import Key, keys_of, unique_keys
from labkit.engine.models import Base

__all__ = ["UnitOfWork", "session_factory"]

# SQLite would refuse a reader that turns writer while another writes; asking first makes it wait instead.
BEGIN = {"mysql": "BEGIN", "sqlite": "BEGIN IMMEDIATE"}


class UnitOfWork(Session):
    """
    The session behind an `AsyncSession` of the engine.

    `stale` are the cache keys of the rows it changed, to be forgotten once a commit was tried: one whose answer
    was lost may have happened. `outbox` are the messages of the open transaction, `ready` those of committed ones:
    only these are sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stale: set[Key] = set()
        self.commit_tried = False
        self.outbox: list[tuple[str, str]] = []
        self.ready: list[tuple[str, str]] = []


def session_factory(pool: AsyncEngine, *, expire_on_commit: bool = False) -> async_sessionmaker[AsyncSession]:
    """
    Return what makes sessions on `pool`.

    Their objects stay loaded after the commit, but for `expire_on_commit`. Once closed they can't be used again:
    nobody would close them.
    """
    return async_sessionmaker(
        pool, sync_session_class=UnitOfWork, expire_on_commit=expire_on_commit, close_resets_only=False
    )


@event.listens_for(UnitOfWork, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested:
        _send(connection, BEGIN[connection.dialect.name])


def _send(connection: Connection, words: str) -> None:
    # Through the driver's own cursor: every save begins here, and BEGIN needs little of what exec_driver_sql does.
    cursor = connection.connection.cursor()
    try:
        cursor.execute(words)
        cursor.close()
    except BaseException as error:
        connection.invalidate(error)
        if not isinstance(error, Exception):
            raise
        driver_error = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(words, None, error, driver_error, dialect=connection.dialect) from error


@event.listens_for(UnitOfWork, "after_flush")
def _remember_stale(session: UnitOfWork, context: UOWTransaction) -> None:
    # A new row can't be in the cache yet, so it costs no message to Redis.
    for instance in (*session.dirty, *session.deleted):
        session.stale.update(_keys_before_and_after(instance))


def _keys_before_and_after(instance: Base) -> list[Key]:
    state = inspect(instance)
    model = type(instance)
    attributes = state.attrs
    after = state.dict
    before = dict(after)
    for name in {name for key in unique_keys(model) for name in key}:
        replaced = attributes[name].history.deleted
        if replaced:
            before[name] = replaced[0]
    return [*keys_of(model, before), *keys_of(model, after)]


# A savepoint that ends is no commit, and one that is rolled back takes no message with it.


@event.listens_for(UnitOfWork, "before_commit")
def _try_commit(session: UnitOfWork) -> None:
    session.commit_tried = session.commit_tried or not session.in_nested_transaction()


@event.listens_for(UnitOfWork, "after_commit")
def _make_ready(session: UnitOfWork) -> None:
    if not session.in_nested_transaction():
        session.ready += session.outbox
        session.outbox.clear()


@event.listens_for(UnitOfWork, "after_soft_rollback")
def _drop_outbox(session: UnitOfWork, transaction: SessionTransaction) -> None:
    if not transaction.nested:
        session.outbox.clear()
