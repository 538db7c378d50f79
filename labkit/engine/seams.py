"""
The seams: each promise of the engine is kept in one small method, and so can be broken in one place.

The deliberately broken engines of `labkit.bugs` override one of these methods each, with the same signature and the
same docstring: the promise stays, the body breaks it.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from sqlalchemy import URL, Executable
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import raiseload
from sqlalchemy.orm.interfaces import ORMOption

from labkit.engine.bus import Bus, Outgoing
from labkit.engine.cache import Cache, Values
from labkit.engine.completion import run_to_completion
from labkit.engine.keys import Key
from labkit.engine.lifetime import Lifetime, Loop, loop_name
from labkit.engine.pool import check_answer, create_pool
from labkit.engine.redis import OptionalRedis
from labkit.engine.rows import select_by
from labkit.engine.unit import UnitOfWork, session_factory
from labkit.errors import WrongLoop, WrongProcess
from labkit.settings import Settings

__all__ = ["Seams", "Task"]

Task = asyncio.Task[Any]


class Seams(Lifetime):
    """What the engine promises, a method for each promise; `Engine` is the door to it."""

    settings: Settings
    url: URL
    _pool: AsyncEngine
    _factory: async_sessionmaker[AsyncSession]
    _registry: async_scoped_session[AsyncSession]
    _cache: Cache
    _bus: Bus
    _depth: dict[Task, int]
    _opening_lock: asyncio.Lock

    @abstractmethod
    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a unit of work, or join the one that this task is in."""

    def _in_unit_of_work(self) -> bool:
        return asyncio.current_task() in self._depth

    # What is made once, when the engine is built.

    def _create_pool(self) -> AsyncEngine:
        """Return a pool of connections, each of which is asked whether it still answers before it is given out."""
        # The server ends what is idle for too long, and tells nobody: only a ping finds out.
        return create_pool(self.url, self.settings, pre_ping=True)

    def _create_factory(self) -> async_sessionmaker[AsyncSession]:
        """Return what makes sessions; their objects can be read after the commit without asking the database."""
        # An expired attribute would be loaded again at its next access, which can't be awaited.
        return session_factory(self._pool, expire_on_commit=False)

    def _create_redis(self, url: str) -> OptionalRedis:
        """Return a Redis client of this engine's own."""
        # Its connections belong to the loop of this engine: no other engine may get them.
        return OptionalRedis(url, self.settings)

    # Who may use it, and from where.

    def _check_loop(self) -> None:
        """Refuse any loop but the one that opened this engine."""
        # A connection's socket belongs to the loop that opened it: another loop would wait for ever, or fail later.
        running, own = asyncio.get_running_loop(), cast(Loop, self._loop)
        if running is not own:
            raise WrongLoop(
                f"This engine was opened on {loop_name(own)} and is used on {loop_name(running)}.",
                remedy="Open one engine for each loop, for example with Engine.current().",
            )

    def _check_process(self) -> None:
        """Refuse any process but the one that opened this engine."""
        # A forked child inherits the very sockets of its parent: what one sends, the other one's server answers.
        if os.getpid() != self._pid:
            raise WrongProcess(
                f"This engine was opened in process {self._pid} and is used in its child {os.getpid()}.",
                remedy="Open another one in the child.",
            )

    def _opening(self) -> asyncio.Lock:
        """Return the lock that lets one task open this engine while others wait."""
        # A lock is bound to the first loop in which somebody waits for it: it must not outlive its engine.
        return self._opening_lock

    # Opening and closing.

    async def _check_server(self) -> None:
        """See that the database answers, and keep nothing of it but the pool's own connection."""
        await check_answer(self._pool)

    async def _close_pool(self) -> None:
        """Close every connection in the loop that opened it."""
        # When the loop has closed it is too late: nobody can say goodbye to the server any more.
        await self._pool.dispose()

    async def _unsubscribe(self, pubsub: PubSub, client: Redis) -> None:
        """Give a subscription's connection back."""
        # To unsubscribe is not enough: the connection stays with the subscription until that is closed.
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await client.aclose()

    # Sessions.

    def _sessions(self) -> async_scoped_session[AsyncSession]:
        """Return the registry that knows which session belongs to which task."""
        # The same registry at every access: a session that another one made could never be found again.
        return self._registry

    @staticmethod
    def _scope(task: Task) -> Hashable:
        """Return the key under which the registry keeps the session of `task`."""
        # The task itself, whoever asks: the release runs in a helper task, and must find the same session.
        return task

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[AsyncSession]:
        """Give the session of this task for one step, which is undone by itself when it fails."""
        # Inside a unit of work it is undone to its savepoint, on the connection that the unit has already.
        nested = self._in_unit_of_work()
        async with self.session() as session, session.begin_nested() if nested else nullcontext():
            yield session

    async def _complete(self, task: Task, session: AsyncSession) -> None:
        """Commit what is left, whatever comes of it end the session."""
        try:
            await session.commit()
        finally:
            await self._end(task, session)

    async def _undo(self, task: Task, session: AsyncSession, error: BaseException) -> None:
        """End the session of a unit of work that did not come to its end, whatever stopped it."""
        # A cancellation too: nobody else will ever give this connection back.
        await run_to_completion(self._end(task, session))

    async def _end(self, task: Task, session: AsyncSession) -> None:
        """Give the connection back, and only then tell the cache and the subscribers what was committed."""
        await self._release(task)
        unit = cast(UnitOfWork, session.sync_session)
        if unit.commit_tried:
            await self._cache.forget(unit.stale)
        await self._announce(unit.ready)

    async def _release(self, task: Task) -> None:
        """Forget the session of `task` and give its connection back; what was not committed is rolled back."""
        # The entry is taken out before any await: nobody can get the session once it closes.
        session = self._sessions().registry.registry.pop(self._scope(task), None)
        if session is not None:
            await session.close()

    # Reading.

    async def _read(self, key: Key) -> Values | None:
        """Read one row as it is now, in a transaction of its own."""
        async with self._pool.connect() as connection:
            parameters = dict(zip(key.names, key.values, strict=True))
            row = (await connection.execute(select_by(key.model, key.names), parameters)).first()
        return None if row is None else tuple(row)

    async def _look_up(self, key: Key) -> Values | None:
        """Read one row through the cache; whoever asks for it meanwhile waits for the same answer."""
        # Without the flight that all readers share, a row that everybody wants is read as often as it is wanted.
        return await self._cache.get(key, self._read)

    async def _select(self, statement: Executable) -> list[Any]:
        """Return what a statement selects, outside every unit of work; a cancelled reader is told so."""
        async with AsyncSession(self._pool) as reader:
            return list((await reader.execute(statement)).scalars())

    def _loading(self) -> ORMOption:
        """Return how relationships are loaded: never behind the caller's back."""
        # An attribute can't be awaited: what it needs must have been asked for, or the access says so at once.
        return raiseload("*")

    # Telling others.

    async def _post(self, message: Outgoing) -> None:
        """Send a message now, or after the commit of the unit of work that this task is in."""
        # Before the commit its readers would look for what is not there, and may never be.
        if self._in_unit_of_work():
            cast(UnitOfWork, self._sessions()().sync_session).outbox.append(message)
        else:
            await self._announce([message])

    async def _announce(self, messages: list[Outgoing]) -> None:
        """Send messages, and return when they are out."""
        # Nobody would wait for a task of their own: the loop may end before it, and so may the task.
        await self._bus.send(messages)
