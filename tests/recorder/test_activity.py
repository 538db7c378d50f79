"""An operation lasts from its call to its end, in the task that asked for it, and names what it works on."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from labkit.recorder import FlightRecorder, activity

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")


def test_only_sessions_and_connections_have_operations() -> None:
    assert activity.begin(print, ()) is None
    assert activity.begin(print, ("text",)) is None
    assert activity.begin([].append, (1,)) is None


def test_an_operation_may_be_a_method_of_a_session_a_connection_or_their_transactions() -> None:
    engine = create_engine("sqlite://")
    with Session(engine) as session, engine.connect() as connection:
        pairs: list[tuple[Any, Any]] = [
            (session.commit, session),
            (connection.commit, connection),
            (session.begin().commit, session),
            (connection.begin().commit, connection),
        ]
        for method, subject in pairs:
            operation = activity.begin(method, ())
            assert operation is not None
            assert operation.subject() is subject
            activity.end(operation)
    engine.dispose()


def test_a_function_given_a_session_is_an_operation_of_it() -> None:
    with Session() as session:
        operation = activity.begin(lambda given: None, (session,))
        assert operation is not None
        assert activity.current() is operation
        activity.end(operation)
    assert activity.current() is None


def test_operations_inside_each_other_end_in_turn() -> None:
    with Session() as session:
        outer = activity.begin(session.flush, ())
        inner = activity.begin(session.execute, (ONE,))
        assert outer is not None
        assert inner is not None
        assert activity.state_of(session).operations == [outer, inner]
        activity.end(inner)
        assert activity.current() is outer
        activity.end(outer)
        assert inner.statement is None
        assert activity.state_of(session).operations == []


def test_an_operation_that_a_finaliser_ends_takes_no_other_away() -> None:
    with Session() as dropped, Session() as session:
        forgotten = activity.begin(dropped.flush, ())
        running = activity.begin(session.flush, ())
        assert forgotten is not None
        activity.end(forgotten)
        assert activity.current() is running
        activity.end(running)  # type: ignore[arg-type]
        activity.end(running)  # type: ignore[arg-type]
    assert activity.current() is None


def test_a_closed_session_is_known_as_closed_until_it_is_used_again() -> None:
    with Session() as session:
        state = activity.state_of(session)
        for method, closed in ((session.close, True), (session.flush, False), (session.invalidate, True)):
            operation = activity.begin(method, ())
            assert operation is not None
            activity.end(operation)
            assert state.closed is closed


def test_the_first_task_that_uses_a_session_owns_it_and_is_not_kept(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async with AsyncSession(engine) as session:
            await asyncio.create_task(session.execute(ONE))
            state = activity.state_of(session.sync_session)
            await session.execute(ONE)
            gc.collect()
            assert state.owner is not None
            assert state.owner() is None
            assert state.used == 2
        await engine.dispose()

    with FlightRecorder():
        asyncio.run(main())


def test_what_is_known_of_a_session_goes_with_it() -> None:
    session = Session()
    state = weakref.ref(activity.state_of(session))
    del session
    gc.collect()
    assert state() is None
