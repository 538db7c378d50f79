"""Statements, at the level that is asked for: when each began, and how long it took. Never their text or values."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from labkit.recorder.taps import tap

__all__ = ["install", "remove"]

_KEY = "labkit.began"
_users = 0
_before: Any = None


def install() -> None:
    """Hear of every statement."""
    global _users, _before
    _users += 1
    if _users == 1:
        _before = vars(Engine).get("_has_events", False)
        event.listen(Engine, "before_cursor_execute", began)
        event.listen(Engine, "after_cursor_execute", ended)


def remove() -> None:
    """Hear of no more, and put back the flag that makes engines ask for listeners."""
    global _users
    _users -= 1
    if _users == 0:
        event.remove(Engine, "before_cursor_execute", began)
        event.remove(Engine, "after_cursor_execute", ended)
        Engine._has_events = _before


def began(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
    """Remember when a statement began."""
    connection.info.setdefault(_KEY, []).append(perf_counter_ns())


def ended(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
    """Tell how long a statement took."""
    started = connection.info.get(_KEY)
    if started:
        statement_ran(connection, statement.split(None, 1)[0][:10].upper(), perf_counter_ns() - started.pop())


@tap
def statement_ran(books: Any, connection: Any, verb: str, took: int) -> None:
    books.pools.statement_ran(connection.connection._connection_record, verb, took // 1000)
