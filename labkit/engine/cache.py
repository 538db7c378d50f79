"""
The cache: rows in Redis, never older than a write that was acknowledged while its writer could reach Redis.

Each key has three entries in Redis. `row` holds a row, and the generation under which it was read. `generation`
holds a random token. `writers` holds who is changing the row. A reader trusts a row only if its generation is the
current one. A writer begins a new generation before its commit and another after it, and is one of the writers in
between; while there is one, no reader caches the row. So a slow reader may put back an old row however late it
comes: no reader will trust it. A writer that dies in its commit leaves a row that is not cached until `writers`
expires. No clocks are compared.

The idea of a token that a fill must still hold is that of the leases in "Scaling Memcache at Facebook" (NSDI 2013).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from secrets import token_hex
from typing import NamedTuple

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from labkit.engine.keys import Key, columns_of, keys_of
from labkit.engine.redis import OptionalRedis
from labkit.engine.rows import Values, dump, is_cacheable, load

__all__ = ["Cache", "Mark"]

Read = Callable[[Key], Awaitable[Values | None]]

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
        self._flights: dict[tuple[Key, str], asyncio.Task[Values | None]] = {}
        self._asking: Counter[Key] = Counter()
        self._sender: asyncio.Task[None] | None = None
        self.unsent: dict[str, set[str]] = {}  # names that Redis must be told, and the writers to be taken out
        self.hits = 0
        self.misses = 0

    async def get(self, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `key`, from Redis, or from `read(key)`, called once for all readers."""
        values = await self.peek(key)
        if values is not None:
            return values
        self._asking[key] += 1
        flight = None
        try:
            generation, values = await self._generation(key)
            # A read that has just ended under this generation is as good as the row.
            flight = self._flights.get((key, generation or ""))
        finally:
            self._asking[key] -= 1
            self._drop_landed(key)
        if flight is not None and flight.done() and (flight.cancelled() or flight.exception()):
            flight = None
        if generation is None or values is not None:
            return await read(key) if values is None else values
        if flight is None:
            flight = asyncio.create_task(self._fill(key, generation, read), name=f"fill {key}")
            self._flights[key, generation] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # One reader's cancellation is not the others': the read goes on.
        return await asyncio.shield(flight)

    def _name(self, key: Key) -> str:
        return f"{self._prefix}:{{{key}}}"

    async def peek(self, key: Key) -> Values | None:
        """Return the values of the row at `key` that Redis has, or None; read nothing else."""
        name = self._name(key)
        if self._redis is None or name in self.unsent or not is_cacheable(key.model):
            return None
        _, answer = await self._redis.ask(lambda redis: redis.mget(f"{name}:row", f"{name}:generation"))
        if answer is not None:
            row, generation = answer
            if row and generation and str(row).startswith(str(generation)):
                self.hits += 1
                return load(key.model, str(row)[len(generation) :])
            self.misses += 1
        return None

    async def fill(self, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `key` as `read(key)` finds them, and leave them in Redis."""
        generation, values = await self._generation(key)
        if generation is None or values is not None:
            return await read(key) if values is None else values
        return await self._fill(key, generation, read)

    async def _generation(self, key: Key) -> tuple[str | None, Values | None]:
        """
        Return the generation under which the row at `key` may be cached now, or None if it may not; and the row, if
        another reader has cached it meanwhile.
        """
        name = self._name(key)
        if self._redis is None or name in self.unsent or not is_cacheable(key.model):
            return None, None

        async def ask(redis: Redis) -> tuple[str, str | None, int]:
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.set(f"{name}:generation", token_hex(8), nx=True, px=2 * self._ttl)
                pipeline.mget(f"{name}:generation", f"{name}:row")
                pipeline.scard(f"{name}:writers")
                _, (generation, row), writers = await pipeline.execute()
            return generation, row, writers

        _, answer = await self._redis.ask(ask)
        if answer is None or answer[2]:
            return None, None
        generation, row, _ = answer
        return generation, load(key.model, row[len(generation) :]) if row and row.startswith(generation) else None

    async def _fill(self, key: Key, generation: str, read: Read) -> Values | None:
        values = await read(key)
        if values is not None and self._redis is not None and _is_at(key, values):
            row = generation + dump(values)
            await self._redis.ask(lambda redis: redis.set(f"{self._name(key)}:row", row, px=self._ttl))
        return values

    def _land(self, key: Key, done: asyncio.Task[Values | None]) -> None:
        if not done.cancelled():
            done.exception()  # seen, even when every reader has gone
        self._drop_landed(key)

    def _drop_landed(self, key: Key) -> None:
        if self._asking[key]:
            return  # a reader who asks for the generation at this moment may join it still
        del self._asking[key]
        for flight in [each for each, task in self._flights.items() if each[0] == key and task.done()]:
            del self._flights[flight]

    async def mark(self, keys: Collection[Key]) -> Mark:
        """Let no reader trust, or cache, the rows at `keys` from now on; the answer is for `unmark`."""
        mark = Mark(token_hex(8), frozenset(map(self._name, keys)))

        def enter(pipeline: Pipeline, name: str) -> None:
            pipeline.sadd(f"{name}:writers", mark.writer)
            pipeline.pexpire(f"{name}:writers", self._protection)

        if not await self._renew(mark.names, enter):
            self._send_later(mark)
        return mark

    async def unmark(self, mark: Mark) -> None:
        """Let the rows be cached again, as they are now."""

        def leave(pipeline: Pipeline, name: str) -> None:
            pipeline.srem(f"{name}:writers", mark.writer)

        # What still waits to be sent may be on its way, and arrive before the commit: it must be sent once more.
        waiting = mark.names & self.unsent.keys()
        self._send_later(Mark(token_hex(8), waiting))
        if not await self._renew(mark.names - waiting, leave):
            self._send_later(mark)

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

    def _send_later(self, mark: Mark) -> None:
        # Until Redis has been told, no reader of this engine trusts these rows; those of others can't know.
        for name in mark.names:
            self.unsent.setdefault(name, set()).add(mark.writer)
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

        def leave(pipeline: Pipeline, name: str) -> None:
            pipeline.srem(f"{name}:writers", *sent[name])

        if await self._renew(sent, leave, at_once=True):
            for name, writers in sent.items():
                self.unsent[name] -= writers
                if not self.unsent[name]:
                    del self.unsent[name]

    async def close(self) -> None:
        """Cancel the reads that are under way, and send once more what Redis does not know yet."""
        tasks = [*self._flights.values(), *([self._sender] if self._sender else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.unsent:
            await self._send_unsent()
        if self.unsent:
            logger.warning("closed while Redis was away: %d rows may stay old until they expire", len(self.unsent))


def _is_at(key: Key, values: Values) -> bool:
    # MySQL finds ADA@… under ada@…: under that spelling no writer would ever forget the row.
    return key in keys_of(key.model, dict(zip(columns_of(key.model), values, strict=True)))
