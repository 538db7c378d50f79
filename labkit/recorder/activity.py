"""
What SQLAlchemy's sessions and connections are doing now, seen from outside the greenlets.

Every operation of an `AsyncSession` or `AsyncConnection` passes through one function, `greenlet_spawn`, in the task
that asked for it. Noting its begin and end there tells whose hands a checkout falls into, and whether two tasks are
inside one session, which SQLAlchemy itself notices only sometimes.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from sqlalchemy.engine import Connection, Transaction
from sqlalchemy.orm import Session, SessionTransaction

__all__ = ["Operation", "State", "begin", "current", "end", "state_of"]

CLOSING = frozenset({"close", "reset", "invalidate"})


class State:
    """What is known of one session or connection object, for as long as it lives."""

    __slots__ = ("__weakref__", "closed", "entries", "leaving", "operations", "owner", "used")

    def __init__(self) -> None:
        self.operations: list[Operation] = []  # in progress; more than one only when it is shared
        self.owner: weakref.ref[Any] | None = None  # the task that used it first
        self.leaving: str | None = None  # how its `async with` is being left: with or error
        self.closed = False  # its last operation closed it
        self.used = 0  # operations begun, but for `begin`, which sends nothing
        self.entries: dict[str, Any] = {}  # each recorder's entry for it, by the recorder's key


_STATE = "_labkit_state"  # an attribute of the session or connection, found faster than by a weak key
_current: ContextVar[Operation | None] = ContextVar("labkit_operation", default=None)


class Operation:
    """One call of a method of a session or connection, while it runs."""

    __slots__ = ("at", "before", "closes", "name", "number", "state", "statement", "subject", "task")

    def __init__(self, subject: Any, state: State, name: str, statement: Any, task: Any) -> None:
        self.at = time.perf_counter_ns()
        self.subject: weakref.ref[Any] = weakref.ref(subject)
        self.state = state
        self.name = name
        self.statement = statement  # until the operation ends
        self.task: weakref.ref[Any] | None = weakref.ref(task) if task is not None else None
        self.closes = name in CLOSING
        self.number = state.used
        self.before: Operation | None = _current.get()


# How to get from what a method belongs to, to the session or connection that it works on.
_SUBJECTS: dict[type, Callable[[Any], Any] | None] = {}


def current() -> Operation | None:
    """Return the operation that the running code is part of."""
    operation = _current.get()
    return operation if operation is not None and operation in operation.state.operations else None


def state_of(subject: Any) -> State:
    """Return what is known of a session or connection."""
    state: State | None = getattr(subject, _STATE, None)
    if state is None:
        state = State()
        setattr(subject, _STATE, state)
    return state


def begin(function: Callable[..., Any], args: tuple[Any, ...]) -> Operation | None:
    """Note that an operation begins; None when it is not one of a session or connection."""
    subject = getattr(function, "__self__", None)
    if _SUBJECTS.get(type(subject)) is not _itself:
        subject = _subject(subject) or (_subject(args[0]) if args else None)
        if subject is None:
            return None
    loop = asyncio._get_running_loop()
    task = asyncio.current_task(loop) if loop is not None else None
    state: State = getattr(subject, _STATE, None) or state_of(subject)
    name = getattr(function, "__name__", "?")
    state.used += name != "begin"
    if state.owner is None and task is not None:
        state.owner = weakref.ref(task)
    operation = Operation(subject, state, name, args[0] if args else None, task)
    state.operations.append(operation)
    _current.set(operation)
    return operation


def end(operation: Operation) -> None:
    """Note that an operation has ended."""
    operation.statement = None
    operation.state.closed = operation.closes
    if operation.closes:
        operation.state.leaving = None
    going_on = operation.state.operations
    if operation in going_on:
        going_on.remove(operation)
    if _current.get() is operation:  # else this is a finaliser, which runs in the context of another task
        _current.set(operation.before)


def _subject(owner: Any) -> Any:
    kind = type(owner)
    try:
        reach = _SUBJECTS[kind]
    except KeyError:
        reach = _SUBJECTS[kind] = _reach(kind)
    return reach(owner) if reach is not None else None


def _reach(kind: type) -> Callable[[Any], Any] | None:
    if issubclass(kind, (Session, Connection)):
        return _itself
    if issubclass(kind, SessionTransaction):
        return lambda owner: owner.session
    if issubclass(kind, Transaction):
        return lambda owner: owner.connection
    return None


def _itself(owner: Any) -> Any:
    return owner
