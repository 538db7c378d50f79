"""Sessions and connection objects: their operations, what they wrote, and whether it was kept."""

from __future__ import annotations

import functools
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.asyncio import engine as async_engine
from sqlalchemy.ext.asyncio import session as async_session
from sqlalchemy.orm import Session

from labkit.recorder import activity, attribution
from labkit.recorder.model import Kind
from labkit.recorder.patching import Patches, guarded, hook

__all__ = ["install", "remove"]

_patches = Patches()


@hook
def operation_began(trackers: Any, operation: Any) -> None:
    trackers.sessions.began(operation)


@guarded
def operation_begins(function: Any, args: tuple[Any, ...]) -> activity.Operation | None:
    operation = activity.begin(function, args)
    if operation is not None:
        operation_began(operation)
    return operation


@guarded
def operation_ends(operation: activity.Operation) -> None:
    activity.end(operation)


@guarded
def block_ends(session: Any, how: str) -> None:
    activity.state_of(session.sync_session).leaving = how


@hook
def session_made(trackers: Any, session: Any) -> None:
    if attribution.kept:
        trackers.sessions.made(session.sync_session)


@hook
def flushed(trackers: Any, session: Any, context: Any) -> None:
    trackers.sessions.wrote(session)


@hook
def settled(trackers: Any, session: Any) -> None:
    trackers.sessions.settled(session)


@hook
def implicit_io(trackers: Any, frame: Any) -> None:
    if _through_the_orm(frame):
        trackers.ledger.incident(Kind.IMPLICIT_IO, trackers.ledger.here(frame))


_HOOKS = {"after_flush": flushed, "after_commit": settled, "after_rollback": settled}


def install() -> None:
    """Hear of every operation of every session."""
    for name, heard in _HOOKS.items():
        event.listen(Session, name, heard)
    _patches.wrap(async_engine, "greenlet_spawn", _spawn)
    _patches.wrap(async_session, "greenlet_spawn", _spawn)
    _patches.wrap(AsyncSession, "__init__", _init)
    _patches.wrap(AsyncSession, "__aexit__", _aexit)
    _patches.wrap(MissingGreenlet, "__init__", _missing)


def remove() -> None:
    """Leave every session as it was."""
    for name, heard in _HOOKS.items():
        event.remove(Session, name, heard)
    _patches.remove()


def _spawn(original: Any) -> Any:
    @functools.wraps(original)
    def greenlet_spawn(function: Any, *args: Any, **kwargs: Any) -> Any:
        operation = operation_begins(function, args)
        if operation is None:
            return original(function, *args, **kwargs)

        # In the greenlet, which sees the end without being woken for every step on the way.
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            finally:
                operation_ends(operation)

        return original(run, *args, **kwargs)

    return greenlet_spawn


def _init(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        session_made(self)

    return __init__


def _aexit(original: Any) -> Any:
    @functools.wraps(original)
    def __aexit__(self: Any, type_: Any, value: Any, traceback: Any) -> Any:
        # SQLAlchemy closes in its own task, in which the exception that ends the block can't be seen.
        block_ends(self, "with" if type_ is None else "error")
        return original(self, type_, value, traceback)

    return __aexit__


def _missing(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        implicit_io(sys._getframe(1))

    return __init__


def _through_the_orm(frame: Any) -> bool:
    """Return True if an attribute access led here, and not a method called outside its greenlet."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "sqlalchemy.orm.attributes":
            return True
        frame = frame.f_back
    return False
