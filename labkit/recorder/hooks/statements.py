"""Statements, at the level that is asked for: when each began, and how long it took. Never their text or values."""

from __future__ import annotations

import re
from time import perf_counter_ns
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from labkit.recorder.patching import guarded, hook

__all__ = ["install", "remove"]

_KEY = "_labkit_began"  # an attribute of the statement's execution context, which ends with the statement
_VERB = re.compile(r"[\s(]*([A-Za-z]{1,10})\b")
_users = 0


def install() -> None:
    """Hear of every statement."""
    global _users
    _users += 1
    if _users == 1:
        event.listen(Engine, "before_cursor_execute", began)
        event.listen(Engine, "after_cursor_execute", ended)


def remove() -> None:
    """Hear of no more, and put back the flag that makes engines ask for listeners, unless there is another."""
    global _users
    _users -= 1
    if _users == 0:
        event.remove(Engine, "before_cursor_execute", began)
        event.remove(Engine, "after_cursor_execute", ended)
        Engine._has_events = _is_heard()


def _is_heard() -> bool:
    """Return True if anybody listens to all engines."""
    events: Any = Engine.dispatch
    return any(getattr(events, name)._clslevel.get(Engine) for name in events._event_names)


@guarded
def began(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
    """Remember when a statement began."""
    setattr(context, _KEY, perf_counter_ns())


@guarded
def ended(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
    """Tell how long a statement took."""
    started = vars(context).pop(_KEY, None)
    if started is not None:
        verb = _VERB.match(statement)
        statement_ran(connection, verb[1].upper() if verb else "", perf_counter_ns() - started)


@hook
def statement_ran(trackers: Any, connection: Any, verb: str, took: int) -> None:
    trackers.pools.statement_ran(connection.connection._connection_record, verb, took // 1000)
