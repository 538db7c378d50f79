"""Messages: they tell of what is there, and are out when the block that wrote them has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio import Redis

from labkit.contract.clause import clause, expect
from labkit.contract.sequencer import sequencer
from labkit.contract.stage import new_user, opened
from labkit.engine import Engine, Subscription
from labkit.services import Services
from labkit.services.evidence import count_rows

MARK = "until here"
HAS_PUBLISHED, COMMITS = "the writer has published", "the writer commits"
LOOKS, HAS_LOOKED = "a listener looks", "the listener has looked"


class _Rollback(Exception):
    """What ends a block that is rolled back."""


@clause()
async def a_message_of_a_block_that_is_rolled_back_is_never_sent(
    engine_class: type[Engine], services: Services
) -> None:
    """No subscriber hears of what never was."""
    channel = new_user().email
    async with opened(engine_class, services) as engine, _listening(engine, services, channel) as listener:
        with suppress(_Rollback):
            async with engine.session():
                await engine.publish(channel, "written")
                raise _Rollback
        await listener.settled()
        expect("no message of a block that was rolled back", found=await listener.heard(), to_be=[])


@clause()
async def a_message_is_out_when_its_block_has_ended(engine_class: type[Engine], services: Services) -> None:
    """What is sent after the block comes after the block's own message."""
    channel = new_user().email
    async with opened(engine_class, services) as engine, _listening(engine, services, channel) as listener:
        async with engine.session():
            await engine.publish(channel, "written")
        in_time = await listener.heard()
        await listener.settled()
        expect("the message is out when its block has ended", found=in_time, to_be=["written"])


@clause(ordered=True)
async def what_a_message_names_is_there(engine_class: type[Engine], services: Services) -> None:
    """A subscriber that gets a message about a row, and looks for it, finds it."""
    ada = new_user()
    channel = ada.email
    points = sequencer(HAS_PUBLISHED, LOOKS, HAS_LOOKED, COMMITS)
    found: list[int] = []

    async def write() -> None:
        async with engine.session() as session:
            await engine.publish(channel, channel)
            await points.reach(HAS_PUBLISHED)
            session.add(ada)
            await points.reach(COMMITS)

    async def look() -> None:
        found.extend([await count_rows(services, "users", email=email) for email in await listener.heard()])

    async def look_meanwhile() -> None:
        await points.reach(LOOKS)
        await look()
        await points.reach(HAS_LOOKED)

    async with opened(engine_class, services) as engine, _listening(engine, services, channel) as listener:
        await asyncio.gather(write(), look_meanwhile())
        await listener.settled()
        await look()
        if 0 in found:
            raise AssertionError("expected: the row that a message names; got: no such row when the message came")


class _Listener:
    """Hears one channel, and can say what it has heard by now."""

    def __init__(self, redis: Redis, messages: Subscription) -> None:
        self._redis = redis
        self._messages = messages
        self._known = asyncio.all_tasks()

    async def heard(self) -> list[Any]:
        """Return the messages sent since this was last asked."""
        # A mark of our own comes after all that was sent before it, and before all that is sent later.
        await self._redis.publish(self._messages.channel, MARK)
        found = []
        while (message := (await anext(self._messages)).message) != MARK:
            found.append(message)
        return found

    async def settled(self) -> None:
        """Wait for the tasks that an engine has left: what they still do is no part of the next promise."""
        left = asyncio.all_tasks() - self._known - {asyncio.current_task()}
        if left:
            await asyncio.wait(left)


@asynccontextmanager
async def _listening(engine: Engine, services: Services, channel: str) -> AsyncIterator[_Listener]:
    """Subscribe to a channel, and know the tasks that are there by then."""
    async with (
        Redis.from_url(services.redis_url, single_connection_client=True) as redis,
        engine.subscribe(channel) as messages,
    ):
        listener = _Listener(redis, messages)
        await listener.heard()
        yield listener
