"""
The cache: rows in Redis, never older than a write that was acknowledged while its writer could reach Redis.

A row is kept under its primary key. For another unique key only the primary key is remembered, here and in Redis,
where its row was last seen: a row counts only if it still has that key.

Each primary key has three entries in Redis. `row` holds a row, and the generation under which it was read.
`generation` holds a random token. `writers` holds who is changing the row. A reader trusts a row only if its
generation is the current one. A writer begins a new generation before its commit and another after it, and is one
of the writers in between; while there is one, no reader caches the row. So a slow reader may put back an old row
however late it comes: no reader will trust it. A writer that dies in its commit leaves a row that is not cached
until `writers` expires. No clocks are compared.

The idea of a token that a fill must still hold is that of the leases in "Scaling Memcache at Facebook" (NSDI 2013).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterable
from secrets import token_hex
from typing import Any, NamedTuple, TypeVar

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from labkit.engine.keys import Key, keys_of_row, unique_keys
from labkit.engine.redis import OptionalRedis
from labkit.engine.rows import Values, dump, is_cacheable, layout_of, load

__all__ = ["Cache", "Mark"]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Read = Callable[[Key], Awaitable[Values | None]]

REMEMBERED = 10_000  # unique keys whose primary key is remembered
PAUSES = (0.02, 0.05, 0.1)  # seconds between two tries to send what Redis has not been told; the last one repeats

logger = logging.getLogger("labkit.engine")


class Mark(NamedTuple):
    """What a writer has told Redis before its commit."""

    writer: str
    names: frozenset[str]


class Cache:
    """Read rows through Redis; without Redis, or while it is away, read the database."""

    def __init__(self, redis: OptionalRedis | None, ttl: float, protection: float, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix  # databases that share a Redis must not share rows
        self._ttl = round(ttl * 1000) or 1  # milliseconds
        self._protection = round(protection * 1000) or 1  # must be longer than any commit
        self._primary: dict[Key, Key] = {}  # where rows were last seen; may be wrong: the row itself says it
        self._searches: dict[Key, asyncio.Task[tuple[bool, Values | None]]] = {}
        self._fills: dict[tuple[Key, str], asyncio.Task[Values | None]] = {}
        self._asking: Counter[Key] = Counter()
        self._sender: asyncio.Task[None] | None = None
        self.unsent: dict[str, set[str]] = {}  # names that Redis must be told, and the writers to be taken out
        self._again: set[str] = set()  # those that have changed since Redis is being told
        self.hits = 0
        self.misses = 0

    async def get(self, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `key`, from Redis, or from `read(key)`, called once for all readers."""
        if self._redis is None or not is_cacheable(key.model):
            return await read(key)
        if (primary := self._primary_of(key)) is None:
            if under_way := self._searches.get(key):
                # It began before this call: it knows where the row is, but not what it holds now.
                await asyncio.wait([under_way])
            else:
                self.misses += 1
                search = self._share(self._searches, key, self._search(key, read))
                was_read, found = await asyncio.shield(search)
                if was_read:
                    return found
            primary = self._primary_of(key)
        values = None if primary is None else await self._get(primary, key, read)
        return await self._read(key, read) if values is None else values

    async def _search(self, key: Key, read: Read) -> tuple[bool, Values | None]:
        """Learn the primary key of the row at `key` from Redis, or else by a read; return (True, values) then."""
        try:
            assert self._redis is not None
            _, found = await self._redis.ask(lambda redis: redis.get(f"{self._name(key)}:primary"))
            if found is None:
                return True, await self._read(key, read)
            self.learn(Key(key.model, unique_keys(key.model)[0], tuple(json.loads(found))), [key])
            return False, None
        finally:
            del self._searches[key]

    async def _get(self, primary: Key, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `primary` if it is at `key` too; None if it is not, or not any more."""
        if (values := await self.peek(key)) is not None:
            return values
        self._asking[primary] += 1
        try:
            generation, values = await self._generation(primary)
            # A read that has just ended under this generation is as good as the row.
            fill = self._fills.get((primary, generation or ""))
        finally:
            self._asking[primary] -= 1
            self._drop_ended(primary)
        if generation is None:
            return None
        if values is None:
            if fill is None or (fill.done() and (fill.cancelled() or fill.exception())):
                fill = self._share(self._fills, (primary, generation), self._fill(primary, generation, key, read))
                fill.add_done_callback(lambda _: self._drop_ended(primary))
            # One reader's cancellation is not the others': the read goes on.
            values = await asyncio.shield(fill)
        keys = [] if values is None else keys_of_row(key.model, values)
        # A read that was led elsewhere does not know what has been written there since it began.
        return values if keys and keys[0] == primary and key in keys else None

    @staticmethod
    def _share(shared: dict[K, asyncio.Task[T]], key: K, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        shared[key] = task = asyncio.create_task(work, name=f"read {key}")
        task.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # seen, though every reader has gone
        return task

    def _drop_ended(self, primary: Key) -> None:
        if self._asking[primary]:
            return  # a reader who asks for the generation at this moment may join it still
        del self._asking[primary]
        for fill in [each for each, task in self._fills.items() if each[0] == primary and task.done()]:
            del self._fills[fill]

    @property
    def reading(self) -> int:
        """Return how many reads of the database are under way, each for all who ask for its row."""
        return len(self._searches) + len(self._fills)

    def _primary_of(self, key: Key) -> Key | None:
        return key if key.names == unique_keys(key.model)[0] else self._primary.get(key)

    def learn(self, primary: Key, keys: Iterable[Key]) -> None:
        """Remember that the row at `primary` is found under `keys`, too."""
        if self._redis is None or not is_cacheable(primary.model):
            return
        for key in keys:
            self._primary.pop(key, None)
            self._primary[key] = primary
        while len(self._primary) > REMEMBERED:
            del self._primary[next(iter(self._primary))]

    async def _read(self, key: Key, read: Read) -> Values | None:
        values = await read(key)
        if values is not None:
            primary, *others = keys_of_row(key.model, values)
            self.learn(primary, others)
        return values

    def _name(self, key: Key) -> str:
        return f"{self._prefix}:{{{key}}}"

    def _row(self, primary: Key) -> str:
        # Programs of two versions, and models of one table, may have different columns.
        return f"{self._name(primary)}:row:{layout_of(primary.model)}"

    def _is_told(self, primary: Key) -> bool:
        return self._redis is not None and self._name(primary) not in self.unsent

    async def peek(self, key: Key) -> Values | None:
        """Return the values of the row at `key` that Redis has, or None; read nothing else."""
        primary = self._primary_of(key)
        if primary is None or self._redis is None or not self._is_told(primary):
            return None
        name = self._name(primary)
        _, answer = await self._redis.ask(lambda redis: redis.mget(self._row(primary), f"{name}:generation"))
        if answer is not None:
            row, generation = answer
            if row and generation and str(row).startswith(str(generation)):
                values = load(key.model, str(row)[len(generation) :])
                if key in keys_of_row(key.model, values):
                    self.hits += 1
                    return values
            self.misses += 1
        return None

    async def fill(self, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `key` as `read(key)` finds them, and leave them in Redis."""
        if (primary := self._primary_of(key)) is None or not is_cacheable(key.model):
            return await self._read(key, read)
        generation, _ = await self._generation(primary)
        return await (self._fill(primary, generation, key, read) if generation else self._read(key, read))

    async def _generation(self, primary: Key) -> tuple[str | None, Values | None]:
        """
        Return the generation under which the row at `primary` may be cached now, or None if it may not, and the row
        if another reader has cached it meanwhile.
        """
        if self._redis is None or not self._is_told(primary):
            return None, None
        name = self._name(primary)

        async def ask(redis: Redis) -> tuple[str, str | None, int]:
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.set(f"{name}:generation", token_hex(8), nx=True, px=2 * self._ttl)
                pipeline.mget(f"{name}:generation", self._row(primary))
                pipeline.scard(f"{name}:writers")
                _, (generation, row), writers = await pipeline.execute()
            return generation, row, writers

        _, answer = await self._redis.ask(ask)
        if answer is None or answer[2]:
            return None, None
        generation, row, _ = answer
        return generation, load(primary.model, row[len(generation) :]) if row and row.startswith(
            generation
        ) else None

    async def _fill(self, primary: Key, generation: str, key: Key, read: Read) -> Values | None:
        values = await self._read(key, read)
        if values is None or self._redis is None:
            return values
        its_own, *others = keys_of_row(key.model, values)

        async def keep(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                pipeline.set(self._row(primary), generation + dump(values), px=self._ttl)
                for each in others:
                    pipeline.set(f"{self._name(each)}:primary", dump(primary.values), px=2 * self._ttl)
                await pipeline.execute()

        # MySQL finds ADA@… under ada@…: under that spelling no writer would ever forget the row.
        if its_own == primary:
            await self._redis.ask(keep)
        return values

    async def mark(self, keys: Collection[Key]) -> Mark:
        """Let no reader trust, or cache, the rows at `keys` from now on; the answer is for `unmark`."""
        mark = Mark(token_hex(8), frozenset(map(self._name, keys)))

        def enter(pipeline: Pipeline, name: str) -> None:
            pipeline.sadd(f"{name}:writers", mark.writer)
            pipeline.pexpire(f"{name}:writers", self._protection)

        if self._is_away():
            self._send_later(mark.names)
        elif not await self._renew(mark.names, enter, at_once=True):
            self._send_later(mark.names, mark.writer)
        return mark

    async def unmark(self, mark: Mark) -> None:
        """Let the rows be cached again, as they are now."""

        def leave(pipeline: Pipeline, name: str) -> None:
            pipeline.srem(f"{name}:writers", mark.writer)

        # What still waits to be sent may be on its way, and arrive before the commit: it must be sent once more.
        waiting = mark.names & self.unsent.keys()
        self._send_later(waiting)
        told = mark.names - waiting
        if self._is_away() or not await self._renew(told, leave, at_once=True):
            self._send_later(told, mark.writer)

    def _is_away(self) -> bool:
        # Other questions may have gone unanswered by chance; what is unsent is tried all the time.
        return self._redis is not None and self._redis.down and bool(self.unsent)

    async def forget(self, keys: Collection[Key]) -> None:
        """Let no reader trust what is cached of the rows at `keys` now."""
        await self._renew(frozenset(map(self._name, keys)), lambda pipeline, name: None)

    async def _renew(
        self, names: Collection[str], also: Callable[[Pipeline, str], object], *, at_once: bool = False
    ) -> bool:
        """Begin a new generation of `names`, and do `also` for each, in one step; return True if Redis answered."""
        if self._redis is None or not names:
            return True

        async def tell(redis: Redis) -> None:
            async with redis.pipeline(transaction=True) as pipeline:
                for name in names:
                    pipeline.set(f"{name}:generation", token_hex(8), px=2 * self._ttl)
                    also(pipeline, name)
                await pipeline.execute()

        answered, _ = await self._redis.ask(tell, at_once=at_once)
        return answered

    def _send_later(self, names: Collection[str], writer: str | None = None) -> None:
        # Until Redis has been told, no reader of this engine trusts these rows; those of others can't know.
        for name in names:
            self.unsent.setdefault(name, set()).update([writer] if writer else [])
            self._again.add(name)
        if self.unsent and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send(), name="tell Redis what has changed")

    async def _send(self) -> None:
        tries = 0
        while self.unsent:
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            await self._send_unsent()

    async def _send_unsent(self) -> None:
        sent = {name: frozenset(writers) for name, writers in self.unsent.items()}
        self._again.clear()

        def leave(pipeline: Pipeline, name: str) -> None:
            if sent[name]:
                pipeline.srem(f"{name}:writers", *sent[name])

        if await self._renew(sent, leave, at_once=True):
            for name, writers in sent.items():
                self.unsent[name] -= writers
                if not self.unsent[name] and name not in self._again:
                    del self.unsent[name]

    async def close(self) -> None:
        """Cancel the reads that are under way, and send once more what Redis does not know yet."""
        tasks = [*self._searches.values(), *self._fills.values(), *([self._sender] if self._sender else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.unsent:
            await self._send_unsent()
        if self.unsent:
            logger.warning("closed while Redis was away: %d rows may stay old until they expire", len(self.unsent))
