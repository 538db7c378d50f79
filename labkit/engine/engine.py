"""The engine: the one door to the database, designed so that each promise is kept in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any, TypeVar, cast
from weakref import WeakSet

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

from labkit.engine.bus import Bus, Subscription
from labkit.engine.cache import Cache, Values
from labkit.engine.checks import check_limit, check_objects, check_stored
from labkit.engine.completion import run_to_completion
from labkit.engine.keys import Key, check_key
from labkit.engine.lifetime import Lifetime
from labkit.engine.models import Base
from labkit.engine.paging import page
from labkit.engine.pool import Pool, check_answer, check_database_url, create_pool
from labkit.engine.redis import OptionalRedis, check_redis_url
from labkit.engine.rows import restore, select_by
from labkit.engine.statistics import EngineStatistics
from labkit.engine.unit import UnitOfWork, session_factory
from labkit.settings import Settings, read_settings

__all__ = ["Engine"]

M = TypeVar("M", bound=Base)
Task = asyncio.Task[Any]


class Engine(Lifetime):
    """
    The one door to the database: save, get, find and delete objects, and tell others about it.

        async with Engine(database_url=…, redis_url=…) as engine:
            await engine.save(User(email="ada@example.org", name="Ada"))

    Building one opens nothing. `open()` binds it to the running event loop, and only that loop may use it;
    `close()` returns every connection. What is not given is read from `LABKIT_…` variables; without a Redis URL
    nothing is cached and nothing can be published. Raises `InvalidSetting` for a URL that can't be used.

    Each promise is kept by one method, a seam: the deliberately broken engines override one of them.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
    ) -> None:
        self.settings = settings or read_settings()
        self.url = check_database_url(database_url or self.settings.database_url)
        self._pool = create_pool(self.url, self.settings)
        self._factory = session_factory(self._pool)
        # Built once: which session belongs to which task is known to this one object and to no other.
        self._registry = async_scoped_session(self._factory, scopefunc=asyncio.current_task)
        self._depth: dict[Task, int] = {}
        redis_url = check_redis_url(redis_url or self.settings.redis_url)
        self._redis = OptionalRedis(redis_url, self.settings) if redis_url else None
        self._cache = Cache(self._redis, self.settings.cache_ttl)
        self._bus = Bus(self._redis)
        self._subscriptions: WeakSet[Subscription] = WeakSet()

    async def _open_all(self) -> None:
        await check_answer(self._pool)

    async def _close_all(self) -> None:
        try:
            for subscription in list(self._subscriptions):
                await subscription.close()
            await self._cache.close()
            if self._redis is not None:
                await self._redis.client.aclose()
        finally:
            await self._pool.dispose()

    async def create_tables(self) -> None:
        """Create the tables of every model that has none yet."""
        self._check_loop()
        async with self._pool.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """
        Open a unit of work, or join the one that this task is in.

        Inside one task it is always the same session, however deep the call; another task gets its own. The
        outermost block commits, or rolls back when an exception leaves it; either way, also when cancelled, it
        closes the session and forgets it. A bulk UPDATE or DELETE goes past the cache: its readers may get a
        row as it was until it has died of age (`Settings.cache_ttl`).
        """
        self._check_loop()
        task = cast(Task, asyncio.current_task())
        session = self._sessions()()
        outermost = task not in self._depth
        self._depth[task] = self._depth.get(task, 0) + 1
        try:
            yield session
            if outermost:
                await session.flush()  # what waits can be cancelled; what ends the transaction can't
        except BaseException:
            if outermost:
                await run_to_completion(self._end(task, session))
            raise
        else:
            if outermost:
                await run_to_completion(self._complete(task, session))
        finally:
            self._depth[task] -= 1
            if outermost:
                del self._depth[task]

    async def save(self, *objects: Base) -> None:
        """
        Insert or update `objects` in one transaction: all of them, or none.

        Raises `sqlalchemy.exc.IntegrityError` for a duplicate, which leaves nothing behind; a surrounding
        `session()` block can catch it and go on. Raises `InvalidInput` before anything is sent.
        """
        check_objects(objects)
        async with self._step() as session:
            session.add_all(objects)

    async def get(self, model: type[M], **unique_key: Any) -> M | None:
        """
        Return the one object of `model` with this unique key, or None: `await engine.get(User, email=…)`.

        It comes from the cache, or from the database; in a `session()` block from that session, which sees its
        own writes. Raises `InvalidInput` for a key that is not unique.
        """
        key = check_key(model, unique_key)
        self._check_loop()
        if self._in_unit_of_work():
            found = await self._sessions()().execute(select(model).filter_by(**unique_key))
            return found.scalar_one_or_none()
        values = await self._cache.get(key, self._read)
        return None if values is None else restore(model, values)

    async def find(
        self, model: type[M], *where: Any, order_by: Any = None, limit: int = 100, after: M | None = None
    ) -> list[M]:
        """
        Return a page of objects of `model` that meet every condition, never more than `limit`.

        `order_by` is a column or a list of them; the next page starts `after` the last object of this one.
        Raises `InvalidInput`, also for a limit over `Settings.find_limit`.
        """
        check_limit(limit, self.settings.find_limit)
        statement = page(model, where, order_by, limit, after)
        self._check_loop()
        if self._in_unit_of_work():
            return list((await self._sessions()().execute(statement)).scalars())
        async with AsyncSession(self._pool) as reader:
            return list((await reader.execute(statement)).scalars())

    async def delete(self, instance: Base) -> None:
        """
        Delete the row of `instance`; one that is gone already is no error.

        Raises `IntegrityError` when other rows need it, as `save` does, and `InvalidInput`.
        """
        check_stored(instance)
        async with self._step() as session:
            await session.delete(instance)

    async def publish(self, channel: str, message: Any) -> None:
        """
        Send `message`, anything JSON can hold, to the subscribers of `channel`.

        In a `session()` block it goes out after the commit, or never. While Redis is away it is lost, and counted.
        """
        encoded = self._bus.encode(channel, message)
        self._check_loop()
        if self._in_unit_of_work():
            cast(UnitOfWork, self._sessions()().sync_session).outbox.append(encoded)
        else:
            await self._bus.send([encoded])

    def subscribe(self, channel: str) -> Subscription:
        """Return the messages of `channel`, for `async with`; each tells what was missed before it."""
        self._check_loop()
        subscription = self._bus.subscribe(channel, self.settings)
        self._subscriptions.add(subscription)
        return subscription

    def statistics(self) -> EngineStatistics:
        """Count what is held at this moment, and by which tasks."""
        return EngineStatistics.of(cast(Pool, self._pool.pool), self._depth, self._cache, self._bus)

    def __repr__(self) -> str:
        now = self.statistics()
        return (
            f"<{type(self).__name__} {self.url!r} {self.state}, {now.checked_out} of {now.pool_size} connections "
            f"out, {len(now.sessions)} sessions, {now.waiting} waiting>"
        )

    def _in_unit_of_work(self) -> bool:
        return asyncio.current_task() in self._depth

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[AsyncSession]:
        # A step that fails inside a unit of work is undone to its savepoint, so that the unit can go on.
        nested = self._in_unit_of_work()
        async with self.session() as session, session.begin_nested() if nested else nullcontext():
            yield session

    # The seams.

    def _sessions(self) -> async_scoped_session[AsyncSession]:
        """Return the registry that knows which session belongs to which task."""
        # The same registry at every access: a session that another one made could never be found again.
        return self._registry

    async def _complete(self, task: Task, session: AsyncSession) -> None:
        """Commit what is left, whatever comes of it end the session."""
        try:
            await session.commit()
        finally:
            await self._end(task, session)

    async def _end(self, task: Task, session: AsyncSession) -> None:
        """Give the connection back, and only then tell the cache and the subscribers what was committed."""
        await self._release(task)
        unit = cast(UnitOfWork, session.sync_session)
        if unit.commit_tried:
            await self._cache.forget(unit.stale)
        await self._bus.send(unit.ready)

    async def _release(self, task: Task) -> None:
        """Forget the session of `task` and give its connection back; what was not committed is rolled back."""
        # The entry is taken out by its task and before any await: nobody can get the session once it closes.
        session = self._sessions().registry.registry.pop(task, None)
        if session is not None:
            await session.close()

    async def _read(self, key: Key) -> Values | None:
        """Read one row as it is now, in a transaction of its own."""
        async with self._pool.connect() as connection:
            parameters = dict(zip(key.names, key.values, strict=True))
            row = (await connection.execute(select_by(key.model, key.names), parameters)).first()
        return None if row is None else tuple(row)
