"""The engine: the one door to the database, designed so that each promise is kept in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from weakref import WeakSet

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

from labkit.engine.bus import Bus, Subscription
from labkit.engine.cache import Cache
from labkit.engine.checks import check_limit, check_objects, check_stored
from labkit.engine.completion import run_to_completion
from labkit.engine.keys import check_key
from labkit.engine.models import Base
from labkit.engine.paging import page
from labkit.engine.pool import Pool, check_database_url
from labkit.engine.redis import check_redis_url
from labkit.engine.rows import restore
from labkit.engine.seams import Seams, Task
from labkit.engine.statistics import EngineStatistics
from labkit.settings import Settings, read_settings

__all__ = ["Engine"]

M = TypeVar("M", bound=Base)


class Engine(Seams):
    """
    The one door to the database: save, get, find and delete objects, and tell others about it.

        async with Engine(database_url=…, redis_url=…) as engine:
            await engine.save(User(email="ada@example.org", name="Ada"))

    Building one opens nothing. `open()` binds it to the running event loop, and only that loop may use it;
    `close()` returns every connection. What is not given is read from `LABKIT_…` variables; without a Redis URL
    nothing is cached and nothing can be published. Raises `InvalidSetting` for a URL that can't be used.

    Each promise is kept by one method, a seam (`labkit.engine.seams`), and can so be broken in one place.
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
        self._pool = self._create_pool()
        self._factory = self._create_factory()
        # Built once: which session belongs to which task is known to this one object and to no other.
        scope = self._scope
        self._registry = async_scoped_session(self._factory, scopefunc=lambda: scope(_running_task()))
        self._depth = {}
        self._opening_lock = asyncio.Lock()
        redis_url = check_redis_url(redis_url or self.settings.redis_url)
        self._redis = self._create_redis(redis_url) if redis_url else None
        self._cache = Cache(self._redis, self.settings.cache_ttl)
        self._bus = Bus(self._redis)
        self._subscriptions: WeakSet[Subscription] = WeakSet()

    async def _open_all(self) -> None:
        await self._check_server()

    async def _close_all(self) -> None:
        try:
            for subscription in list(self._subscriptions):
                await subscription.close()
            await self._cache.close()
            if self._redis is not None:
                await self._redis.client.aclose()
        finally:
            await self._close_pool()

    async def create_tables(self) -> None:
        """Create the tables of every model that has none yet."""
        self._check()
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
        self._check()
        task = _running_task()
        session = self._sessions()()
        outermost = task not in self._depth
        self._depth[task] = self._depth.get(task, 0) + 1
        try:
            yield session
            if outermost:
                await session.flush()  # what waits can be cancelled; what ends the transaction can't
        except BaseException as error:
            if outermost:
                await self._undo(task, session, error)
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
        self._check()
        if self._in_unit_of_work():
            found = await self._sessions()().execute(select(model).filter_by(**unique_key))
            return found.scalar_one_or_none()
        values = await self._look_up(key)
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
        statement = page(model, where, order_by, limit, after).options(self._loading())
        self._check()
        if self._in_unit_of_work():
            return list((await self._sessions()().execute(statement)).scalars())
        return await self._select(statement)

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
        self._check()
        await self._post(encoded)

    def subscribe(self, channel: str) -> Subscription:
        """Return the messages of `channel`, for `async with`; each tells what was missed before it."""
        self._check()
        subscription = self._bus.subscribe(channel, self.settings, self._unsubscribe)
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


def _running_task() -> Task:
    return cast(Task, asyncio.current_task())
