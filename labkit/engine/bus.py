"""The bus: messages sent through Redis, and subscribers that are told what they missed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from labkit.engine.completion import run_to_completion
from labkit.engine.redis import OptionalRedis, redis_client
from labkit.errors import InvalidInput, InvalidSetting, NotOpen, Unreachable
from labkit.settings import Settings

__all__ = ["Bus", "Notification", "Outgoing", "Subscription"]

logger = logging.getLogger("labkit.engine")

Outgoing = tuple[str, str]  # a channel, and a message as JSON
Release = Callable[[PubSub, Redis], Awaitable[None]]

# Seconds without a message after which Redis is asked whether it is there, and seconds for its answer: a route that
# dies says nothing.
HEARTBEAT = 3.0
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)  # seconds between two tries to subscribe again; the last one repeats


@dataclass(frozen=True)
class Notification:
    """A message as a subscriber gets it, and what it did not get just before."""

    channel: str
    message: Any
    missed: int = 0
    """Messages dropped before this one because the subscriber was slow."""
    interrupted: bool = False
    """The connection was lost before this one: messages sent meanwhile are gone, and not counted."""


class Bus:
    """Send messages, JSON on the wire, to those who are subscribed at that moment."""

    def __init__(self, redis: OptionalRedis | None) -> None:
        self._redis = redis
        self.lost = 0

    def encode(self, channel: str, message: Any) -> Outgoing:
        """Return what will be sent; raise `InvalidInput` or `InvalidSetting` now rather than after a commit."""
        self._wanted()
        if not isinstance(channel, str) or not channel:
            raise InvalidInput(f"Expected a channel's name, got {channel!r}.", remedy="Give a text.")
        try:
            channel.encode()
            return channel, json.dumps(message)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(
                f"A message must be JSON: {error}.", remedy="Send texts, numbers, lists and dicts."
            ) from None

    async def send(self, outbox: list[Outgoing]) -> None:
        """Send what `encode` made; while Redis is away the messages are counted as lost, and nothing raises."""
        for channel, text in outbox:
            # Each message is tried once, and the next one too when this one was lost.
            answered, _ = await self._wanted().ask(partial(_publish, channel, text), at_once=True, once=True)
            self.lost += not answered

    def subscribe(self, channel: str, settings: Settings, release: Release) -> Subscription:
        """
        Return a subscription with its own connection, which may be silent for as long as it likes.

        `release` gives that connection back when the subscription is closed.
        """
        # One try: redis-py would subscribe again without a word about what was missed.
        client = redis_client(self._wanted().url, settings.connect_timeout, tries=1)
        return Subscription(client, release, channel, settings.subscriber_buffer, settings.connect_timeout)

    def _wanted(self) -> OptionalRedis:
        if self._redis is None:
            raise InvalidSetting("Messages need Redis, and there is no Redis URL.", remedy="Set LABKIT_REDIS_URL.")
        return self._redis


async def _publish(channel: str, text: str, redis: Redis) -> None:
    await redis.publish(channel, text)


class Subscription:
    """
    The messages of one channel, from the moment of `async with` on.

        async with engine.subscribe("room:1") as messages:
            async for notification in messages: ...

    At most `buffer` messages wait for a slow reader; older ones are dropped and counted in the next
    `Notification`. A lost connection is made again, and the next notification says so.
    """

    def __init__(self, client: Redis, release: Release, channel: str, buffer: int, timeout: float) -> None:
        self.channel = channel
        self._client = client
        self._release = release
        self._pubsub = client.pubsub()
        self._timeout = timeout
        self._waiting: deque[tuple[str, bool]] = deque()  # a message, and whether a gap is before it
        self._buffer = buffer
        self._missed = 0
        self._interrupted = False
        self._arrived = asyncio.Event()
        self._closed = False
        self._reader: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._waiting)} waiting, {self._missed} missed"
        return f"<Subscription {self.channel!r} {state}>"

    async def __aenter__(self) -> Self:
        try:
            await self._subscribe()
        except BaseException as error:
            await self.close()
            if isinstance(error, RedisError | OSError):
                raise Unreachable(
                    f"No Redis answers to subscribe to {self.channel!r} ({type(error).__name__}).",
                    remedy="Start it, or check the Redis URL.",
                ) from error
            raise
        self._reader = asyncio.create_task(self._read(), name=f"subscription {self.channel}")
        self._reader.add_done_callback(lambda _: self._arrived.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            if self._reader is None:
                raise NotOpen(f"{self!r} is used.", remedy="Use it inside `async with engine.subscribe(…)`.")
            if self._reader.done():
                self._reader.result()  # raises what ended it
            self._arrived.clear()
            await self._arrived.wait()
        text, interrupted = self._waiting.popleft()
        missed, self._missed = self._missed, 0
        return Notification(self.channel, _decode(text), missed, interrupted)

    async def close(self) -> None:
        """Give the connection back; a reader that waits gets the end of the iteration."""
        self._closed = True
        self._arrived.set()
        await run_to_completion(self._close())

    async def _close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        await self._release(self._pubsub, self._client)

    async def _subscribe(self) -> None:
        async with asyncio.timeout(self._timeout):
            await self._pubsub.subscribe(self.channel)
            # Only its answer says that a message sent from now on will come.
            while (await self._pubsub.get_message(timeout=None) or {}).get("type") != "subscribe":
                pass

    async def _read(self) -> None:
        asked = False  # whether Redis is there, as nothing has come for a while
        while True:
            try:
                raw = await self._pubsub.get_message(timeout=HEARTBEAT)
                if raw is None and asked:
                    raise TimeoutError(f"Redis has not answered for {HEARTBEAT} s")
                if raw is None:
                    await self._pubsub.ping()
                asked = raw is None
            except (RedisError, OSError) as error:
                asked = False
                await self._subscribe_again(error)
                continue
            if raw is not None and raw["type"] == "message":
                self._keep(raw["data"])

    async def _subscribe_again(self, error: Exception) -> None:
        logger.warning("subscription %r lost its connection (%s)", self.channel, type(error).__name__)
        self._interrupted = True
        tries = 0
        while True:
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]
            try:
                await self._subscribe()
            except (RedisError, OSError):
                continue
            logger.info("subscription %r is back", self.channel)
            return

    def _keep(self, text: str) -> None:
        if len(self._waiting) == self._buffer:
            _, interrupted = self._waiting.popleft()
            self._missed += 1
            if interrupted and self._waiting:
                # What the dropped message had to say goes to its successor.
                self._waiting[0] = (self._waiting[0][0], True)
        self._waiting.append((text, self._interrupted))
        self._interrupted = False
        self._arrived.set()


def _decode(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text  # not sent by `Bus.send`
