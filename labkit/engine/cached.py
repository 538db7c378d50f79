"""The corrected engine with Redis: rows are read through a cache, and messages go out after the commit."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction
from sqlalchemy.util import await_only

from labkit.engine.bus import Bus, Outgoing, Subscription
from labkit.engine.cache import Cache
from labkit.engine.core import CoreEngine, Task
from labkit.engine.keys import Key, other_keys, primary_keys
from labkit.engine.models import Base
from labkit.engine.redis import OptionalRedis, check_redis_url
from labkit.engine.rows import Values
from labkit.engine.statistics import EngineStatistics
from labkit.settings import Settings

__all__ = ["Engine"]


class UnitOfWork(Session):
    """The session behind an `AsyncSession` of `Engine`: it knows what its commit changes, and what it announces."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stale: set[Key] = set()  # the cache keys of the rows that the open transaction has changed
        self.changing: AbstractAsyncContextManager[None] | None = None  # entered before the commit, left after it
        # The messages of the open transaction, each with the transaction or savepoint that must not be rolled back.
        self.outbox: list[tuple[Outgoing, SessionTransaction | None]] = []
        self.ready: list[Outgoing] = []  # those of committed ones

    def keep(self, message: Outgoing) -> None:
        """Keep `message` until the commit; a rollback, also one to a savepoint, drops it."""
        if not self.in_transaction():
            self.begin()  # a rollback of what has not begun would tell no one
        self.outbox.append((message, self.get_nested_transaction() or self.get_transaction()))


class Engine(CoreEngine):
    """
    Save, get, find and delete objects, and tell others about it.

        async with Engine(database_url=…, redis_url=…) as engine:
            await engine.save(User(email="ada@example.org", name="Ada"))

    Building one opens nothing. `open()` binds it to the running event loop, and only that loop may use it;
    `close()` returns every connection. What is not given is read from `LABKIT_…` variables; without a Redis URL
    nothing is cached and nothing can be published. Raises `InvalidSetting` for a URL that can't be used.

    A cached row is never older than a write that was acknowledged while its writer could reach Redis. What no
    session sees goes past the cache, and readers may get the old row until it expires (`Settings.cache_ttl`): a
    bulk UPDATE or DELETE, what the database itself changes (ON DELETE CASCADE, triggers), and a Redis that comes
    back with an older snapshot.

    Methods that may be overridden, besides those of `CoreEngine`: `create_redis`, `changing`, `post`, `announce`,
    `unsubscribe`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
    ) -> None:
        super().__init__(settings, database_url=database_url)
        url = check_redis_url(redis_url or self.settings.redis_url)
        self.redis = self.create_redis(url) if url else None
        # A commit may take as long as a statement: what it changes is protected for longer.
        protection = 2 * self.settings.statement_timeout
        # The name and not the host: two engines may reach one database by different routes.
        database = self.url.database or ""
        prefix = f"labkit:{Path(database).resolve() if self.url.get_backend_name() == 'sqlite' else database}"
        self.cache = Cache(self.redis, self.settings.cache_ttl, protection, prefix)
        self.bus = Bus(self.redis)
        event.listen(self.engine.sync_engine, "commit", _begin_change)
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()

    def session_options(self) -> dict[str, Any]:
        """Return the options of every session: it knows this engine, and what its commit changes."""
        own = {"sync_session_class": UnitOfWork, "info": {"engine": weakref.ref(self)}}
        return super().session_options() | own

    def create_redis(self, url: str) -> OptionalRedis:
        """Return a Redis client that belongs to this engine alone."""
        # Its connections belong to the loop of this engine: no other engine may get them.
        return OptionalRedis(url, self.settings)

    async def _close(self, closer: Task) -> None:
        try:
            await super()._close(closer)  # first: a commit that is under way still has to tell Redis
            for subscription in list(self._subscriptions):
                await subscription.close()
        finally:
            await self.cache.close()
            if self.redis is not None:
                await self.redis.close()

    # The cache.

    async def look_up(self, key: Key) -> Values | None:
        """Read one row through the cache; every task that asks for it meanwhile waits for the same answer."""
        # Without the read that all readers share, a row that everybody wants is read as often as it is wanted.
        return await self.cache.get(key, self.read)

    @asynccontextmanager
    async def changing(self, keys: Collection[Key]) -> AsyncIterator[None]:
        """Keep every reader from caching the rows at `keys` while a commit changes them."""
        # Marked before the commit: a writer that dies in it leaves rows that are not cached, and none that are old.
        mark = await self.cache.mark(keys)
        try:
            yield
        finally:
            await self.cache.unmark(mark)

    # Messages.

    async def publish(self, channel: str, message: Any) -> None:
        """
        Send `message`, anything JSON can hold, to the subscribers of `channel`, at most once.

        In a `session()` block it goes out after the commit, or never. While Redis is away it is lost, and counted.
        """
        encoded = self.bus.encode(channel, message)
        self._check()
        await self.post(encoded)

    async def post(self, message: Outgoing) -> None:
        """Send a message now, or after the commit of the block that this task is in."""
        # Before the commit its readers would look for what is not there, and may never be.
        if self.in_block():
            cast(UnitOfWork, self.sessions()().sync_session).keep(message)
        else:
            await self.announce([message])

    async def announce(self, messages: list[Outgoing]) -> None:
        """Send messages, and return when they are out."""
        # Nothing would wait for a separate task: the loop may end before it, and so may the task.
        await self.bus.send(messages)

    def subscribe(self, channel: str) -> Subscription:
        """Return the messages of `channel`, for `async with`; each says what was missed before it."""
        self._check()
        subscription = self.bus.subscribe(channel, self.settings, self.unsubscribe)
        self._subscriptions.add(subscription)
        return subscription

    async def unsubscribe(self, pubsub: PubSub, client: Redis) -> None:
        """Give a subscription's connection back."""
        # To unsubscribe is not enough: the connection stays with the subscription until that is closed.
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await client.aclose()

    def statistics(self) -> EngineStatistics:
        """Count what is held at this moment, and by which tasks."""
        return replace(
            super().statistics(),
            cache_hits=self.cache.hits,
            cache_misses=self.cache.misses,
            cache_unsent=len(self.cache.unsent),
            messages_lost=self.bus.lost,
        )


# Every commit of a session counts, one that is made inside a block too; a savepoint that ends is no commit.


@event.listens_for(UnitOfWork, "after_flush")
def _remember_changes(session: UnitOfWork, context: UOWTransaction) -> None:
    # A new row can't be in the cache yet, so it costs no message to Redis.
    for instance in (*session.dirty, *session.deleted):
        session.stale.update(primary_keys(instance))
    if (engine := session.info["engine"]()) is not None:
        for instance in (*session.new, *session.dirty):
            for primary in primary_keys(instance)[-1:]:
                engine.cache.learn(primary, other_keys(instance))


@event.listens_for(UnitOfWork, "persistent_to_deleted")
def _remember_deleted(session: UnitOfWork, instance: Base) -> None:
    session.stale.update(primary_keys(instance))  # an orphan is in no list of the flush


@event.listens_for(UnitOfWork, "after_begin")
def _remember_session(session: UnitOfWork, transaction: SessionTransaction, connection: Connection) -> None:
    connection.info["unit_of_work"] = weakref.ref(session)


def _begin_change(connection: Connection) -> None:
    # SQLAlchemy calls it right before each COMMIT, when all has been flushed, and for no savepoint.
    session = connection.info.get("unit_of_work", lambda: None)()
    if session is None or not session.stale or session.changing is not None:
        return
    if (engine := session.info["engine"]()) is not None:
        changing = engine.changing(frozenset(session.stale))
        await_only(changing.__aenter__())
        session.changing = changing


@event.listens_for(UnitOfWork, "after_commit")
def _make_ready(session: UnitOfWork) -> None:
    if not session.in_nested_transaction():
        session.ready += [message for message, _ in session.outbox]


@event.listens_for(UnitOfWork, "after_soft_rollback")
def _drop_messages(session: UnitOfWork, transaction: SessionTransaction) -> None:
    session.outbox = [each for each in session.outbox if transaction not in _with_parents(each[1])]


def _with_parents(transaction: SessionTransaction | None) -> Iterator[SessionTransaction]:
    while transaction is not None:
        yield transaction
        transaction = transaction.parent


@event.listens_for(UnitOfWork, "after_transaction_end")
def _end_change(session: UnitOfWork, transaction: SessionTransaction) -> None:
    # However it ends: a commit whose answer was lost may have happened.
    if transaction.parent is not None:
        return
    session.stale.clear()
    session.outbox.clear()
    changing, session.changing = session.changing, None
    if changing is not None:
        await_only(changing.__aexit__(None, None, None))
    ready, session.ready = session.ready, []
    if ready and (engine := session.info["engine"]()) is not None:
        await_only(engine.announce(ready))
