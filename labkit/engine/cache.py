"""The cache: rows kept in Redis, filled by one reader at a time, never older than the last commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from redis.asyncio import Redis

from labkit.engine.keys import Key, columns_of, keys_of
from labkit.engine.redis import OptionalRedis
from labkit.engine.rows import dump, is_cacheable, load

__all__ = ["Cache"]

Values = Sequence[Any]
Read = Callable[[Key], Awaitable[Values | None]]

# What a writer leaves under a key, in place of the row: whoever read the row before the write can't put it back.
CHANGED = "changed"
CHANGED_FOR = 5.0  # seconds; a reader that takes half as long puts nothing back


class Cache:
    """Read rows through Redis; without Redis, or while it is away, read the database."""

    def __init__(self, redis: OptionalRedis | None, ttl: float) -> None:
        self._redis = redis
        self._ttl = ttl
        self._flights: dict[Key, asyncio.Task[Values | None]] = {}
        self._distrusted_until = float("-inf")
        self.hits = 0
        self.misses = 0

    async def get(self, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `key`, from Redis, or from `read(key)`, called once for all who ask."""
        may_fill, values = await self._look(key)
        if values is not None:
            return values
        return await (self._join_flight(key, read) if may_fill else read(key))

    async def peek(self, key: Key) -> Values | None:
        """Return the values of the row at `key` that Redis has, or None; read nothing else."""
        return (await self._look(key))[1]

    async def _look(self, key: Key) -> tuple[bool, Values | None]:
        """Say whether Redis may be given the row at `key`, and return what it has."""
        if self._redis is None or not is_cacheable(key.model) or time.monotonic() < self._distrusted_until:
            return False, None
        answered, text = await self._redis.ask(lambda redis: redis.get(_name(key)))
        if text is not None and text != CHANGED:
            self.hits += 1
            return False, load(key.model, str(text))
        self.misses += 1
        return answered and text is None, None

    async def _join_flight(self, key: Key, read: Read) -> Values | None:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self.fill(key, read), name=f"fill {key}")
            flight.add_done_callback(lambda done: self._land(key, done))
        # One reader's cancellation is not the others': the flight goes on.
        return await asyncio.shield(flight)

    def _land(self, key: Key, flight: asyncio.Task[Values | None]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen, even when every reader has gone

    async def fill(self, key: Key, read: Read) -> Values | None:
        """Return the values of the row at `key` as `read(key)` finds them, and leave them in Redis."""
        started = time.monotonic()
        values = await read(key)
        # A reader on its way for longer than the mark lives can't know whether the row was changed.
        in_time = time.monotonic() - started < CHANGED_FOR / 2
        if values is not None and in_time and self._redis is not None and _is_at(key, values):
            text = dump(values)
            # NX: a row that was changed while we read it keeps its mark.
            await self._redis.ask(lambda redis: redis.set(_name(key), text, nx=True, px=_ms(self._ttl)))
        return values

    async def forget(self, keys: Iterable[Key]) -> None:
        """Make sure that no reader who starts after this gets the rows at `keys` as they were."""
        stale = {_name(key): key for key in keys}
        for key in stale.values():
            self._flights.pop(key, None)
        if self._redis is None or not stale:
            return
        answered, _ = await self._redis.ask(lambda redis: _mark(redis, stale))
        if not answered:
            # Redis may come back with the old rows: wait until each of them has died of age.
            self._distrusted_until = time.monotonic() + self._ttl

    async def close(self) -> None:
        """End the fills that nobody waits for."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)


async def _mark(redis: Redis, names: Iterable[str]) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.set(name, CHANGED, px=_ms(CHANGED_FOR))
        await pipeline.execute()


def _name(key: Key) -> str:
    return f"labkit:{key}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _is_at(key: Key, values: Values) -> bool:
    # MySQL finds ADA@… under ada@…: under that spelling no writer would ever forget the row.
    return key in keys_of(key.model, dict(zip(columns_of(key.model), values, strict=True)))
