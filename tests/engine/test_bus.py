"""Messages: sent after the commit or never, and subscribers who are told what they missed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from redis.asyncio import Redis

import labkit.engine.bus as bus_module
from labkit.engine import Engine, Notification, User
from labkit.errors import InvalidInput, NotOpen
from labkit.services import Capability, Services
from labkit.services.evidence import count_rows, redis_clients

MakeEngine = Callable[..., Engine]


async def first(subscription: Any, count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [(await anext(subscription)).message for _ in range(count)]


async def subscribers(services: Services) -> list[int]:
    return [client.id for client in await redis_clients(services) if client.subscriptions]


async def test_a_subscriber_gets_what_is_published_from_then_on(engine: Engine, any_services: Services) -> None:
    await engine.publish("c", "too early")
    async with engine.subscribe("c") as messages:
        await engine.publish("c", "a")
        await engine.publish("other", "elsewhere")
        await engine.publish("c", {"b": [1, None, "🐍"]})
        async with asyncio.timeout(10):
            assert await anext(messages) == Notification("c", "a", missed=0, interrupted=False)
        assert await first(messages, 1) == [{"b": [1, None, "🐍"]}]


async def test_the_first_message_after_subscribing_is_never_missed(
    make_engine: MakeEngine, engine: Engine, any_services: Services
) -> None:
    async with make_engine() as publisher:
        await publisher.publish("warm", "up")
        for i in range(50):
            async with engine.subscribe(f"c{i}") as messages:
                await publisher.publish(f"c{i}", i)
                assert await first(messages, 1) == [i]


async def test_every_subscriber_gets_every_message(engine: Engine, any_services: Services) -> None:
    async with engine.subscribe("c") as one, engine.subscribe("c") as another:
        for i in range(20):
            await engine.publish("c", i)
        assert await first(one, 20) == await first(another, 20) == list(range(20))


async def test_in_a_block_a_message_goes_out_after_the_commit(engine: Engine, any_services: Services) -> None:
    seen: list[int] = []

    async def count_at_each_message() -> None:
        async with engine.subscribe("saved") as messages:
            subscribed.set()
            async for _ in messages:
                seen.append(await count_rows(any_services, "users"))
                if len(seen) == 2:
                    return

    subscribed = asyncio.Event()
    counting = asyncio.create_task(count_at_each_message())
    await subscribed.wait()
    async with engine.session():
        await engine.publish("saved", 1)
        await engine.save(User(email="ada@example.org", name="Ada"))
        await engine.publish("saved", 2)
        await asyncio.create_task(engine.publish("other", "from another task, at once"))
    async with asyncio.timeout(10):
        await counting
    assert seen == [1, 1]


async def test_a_rollback_sends_nothing(engine: Engine, any_services: Services) -> None:
    async with engine.subscribe("c") as messages:
        with pytest.raises(KeyError):  # noqa: PT012
            async with engine.session():
                await engine.publish("c", "never")
                raise KeyError
        async with engine.session() as session:
            await engine.publish("c", "never")
            await session.execute(User.__table__.select())
            await session.rollback()
            await engine.publish("c", "after a rollback by hand")
        await engine.publish("c", "end")
        assert await first(messages, 2) == ["after a rollback by hand", "end"]


async def test_a_commit_that_fails_sends_nothing(engine: Engine, any_services: Services) -> None:
    await engine.save(User(email="ada@example.org", name="Ada"))
    async with engine.subscribe("c") as messages:
        with pytest.raises(Exception, match="IntegrityError"):  # noqa: PT012
            async with engine.session() as session:
                await engine.publish("c", "never")
                session.add(User(email="ada@example.org", name="Ada"))
        await engine.publish("c", "end")
        assert await first(messages, 1) == ["end"]


async def test_what_a_block_committed_itself_is_sent_even_when_the_block_fails(
    engine: Engine, any_services: Services
) -> None:
    async with engine.subscribe("c") as messages:
        with pytest.raises(KeyError):  # noqa: PT012
            async with engine.session() as session:
                await engine.save(User(email="ada@example.org", name="Ada"))
                await engine.publish("c", "committed")
                await session.commit()
                await engine.publish("c", "never")
                raise KeyError
        await engine.publish("c", "end")
        assert await first(messages, 2) == ["committed", "end"]


async def test_a_savepoint_is_no_commit(engine: Engine, any_services: Services) -> None:
    async with engine.subscribe("c") as messages:
        with pytest.raises(KeyError):  # noqa: PT012
            async with engine.session():
                await engine.publish("c", "never")
                await engine.save(User(email="ada@example.org", name="Ada"))
                raise KeyError
        await engine.publish("c", "end")
        assert await first(messages, 1) == ["end"]


async def test_a_slow_subscriber_is_bounded_and_told_what_it_missed(
    make_engine: MakeEngine, any_services: Services
) -> None:
    async with make_engine(subscriber_buffer=3) as engine, engine.subscribe("c") as messages:
        for i in range(10):
            await engine.publish("c", i)
        while messages._missed < 7:
            await asyncio.sleep(0)
        assert repr(messages) == "<Subscription 'c' 3 waiting, 7 missed>"
        assert await anext(messages) == Notification("c", 7, missed=7)
        assert await anext(messages) == Notification("c", 8, missed=0)
        await engine.publish("c", 10)
        assert await first(messages, 2) == [9, 10]


@pytest.mark.needs(Capability.CLIENT_LIST)
async def test_a_lost_connection_is_made_again_and_the_next_message_says_so(
    engine: Engine, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "labkit.engine")
    admin = Redis.from_url(services.redis_url)
    async with engine.subscribe("c") as messages, asyncio.timeout(20):
        for loss in (1, 2):
            await engine.publish("c", "before")
            assert (await anext(messages)).interrupted is False
            [number] = await subscribers(services)
            await admin.client_kill_filter(_id=str(number))
            while [record.message for record in caplog.records].count("subscription 'c' is back") < loss:
                await asyncio.sleep(0)
            await engine.publish("c", "after")
            assert await anext(messages) == Notification("c", "after", interrupted=True)
    await admin.aclose()


@pytest.mark.needs(Capability.RESTART)
async def test_a_subscription_survives_a_restart_of_redis(
    engine: Engine, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "labkit.engine")
    assert services.control is not None
    async with engine.subscribe("c") as messages:
        await services.control.stop("redis")
        await services.control.start("redis")
        async with asyncio.timeout(30):
            # Redis may list a try that has failed: only the engine knows which one counts.
            while "subscription 'c' is back" not in [record.message for record in caplog.records]:
                await asyncio.sleep(0.01)
        other = Redis.from_url(services.redis_url)
        await other.publish("c", '"after"')
        await other.aclose()
        async with asyncio.timeout(10):
            assert await anext(messages) == Notification("c", "after", interrupted=True)


@pytest.mark.needs(Capability.CLIENT_LIST)
async def test_a_closed_subscription_gives_its_connection_back(engine: Engine, services: Services) -> None:
    async with engine.subscribe("c"):
        assert len(await subscribers(services)) == 1
    await gone(services)


async def gone(services: Services) -> None:
    async with asyncio.timeout(10):
        while await subscribers(services):
            await asyncio.sleep(0)


@pytest.mark.needs(Capability.CLIENT_LIST)
async def test_a_subscription_gives_its_connection_back_wherever_it_is_cancelled(
    engine: Engine, services: Services, cancel_everywhere: Callable[..., Awaitable[list[bool]]]
) -> None:
    async def subscribe() -> None:
        async with engine.subscribe("c"):
            await asyncio.sleep(0)

    async def check(cancelled: bool) -> None:
        await gone(services)

    assert all(await cancel_everywhere(subscribe, check))


@pytest.mark.needs(Capability.CLIENT_LIST)
async def test_closing_the_engine_ends_its_subscriptions(make_engine: MakeEngine, services: Services) -> None:
    engine = await make_engine().open()
    messages = engine.subscribe("c")
    await messages.__aenter__()

    async def listen() -> list[Notification]:
        return [notification async for notification in messages]

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await engine.close()

    assert await listener == []
    await messages.close()
    await gone(services)
    gc.collect()


async def test_a_subscription_that_is_not_entered_is_refused(engine: Engine, any_services: Services) -> None:
    with pytest.raises(NotOpen, match="async with"):
        await anext(engine.subscribe("c"))


async def test_what_others_send_that_is_no_json_comes_as_text(engine: Engine, any_services: Services) -> None:
    client = Redis.from_url(any_services.redis_url)
    async with engine.subscribe("c") as messages:
        await client.publish("c", "no {json")
        assert await first(messages, 1) == ["no {json"]
    await client.aclose()


@pytest.mark.parametrize(
    ("channel", "message"), [("c", object()), ("c", {1, 2}), ("", 1), (None, 1), (3, 1), ("c", b"bytes")]
)
async def test_what_can_not_be_sent_is_refused_at_once(offline: Engine, channel: Any, message: Any) -> None:
    with pytest.raises(InvalidInput):
        await offline.publish(channel, message)
    assert offline.statistics().messages_lost == 0


class Route:
    """A way to Redis that can die without a word, or lose an answer."""

    def __init__(self, services: Services) -> None:
        self.to = urlsplit(services.redis_url)
        self.dead: set[asyncio.StreamWriter] = set()
        self.ways: list[asyncio.StreamWriter] = []
        self.lose: bytes = b""  # the answer to an order that contains this is lost, and the connection with it

    async def __aenter__(self) -> Route:
        self.server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        login = self.to.netloc.rpartition("@")[0]
        self.url = urlunsplit(
            self.to._replace(netloc=f"{login}@127.0.0.1:{port}" if login else f"127.0.0.1:{port}")
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for way in self.ways:
            way.close()

    def die(self) -> None:
        """Let nothing pass any more on the ways that are there; new ones are alive."""
        self.dead.update(self.ways)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection(self.to.hostname, self.to.port)
        self.ways += [writer, to_redis]
        await asyncio.gather(self._pass(reader, to_redis, to_redis), self._pass(from_redis, writer, writer))

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if way in self.dead:
                    continue
                sink.write(data)
                if self.lose and self.lose in data:
                    await sink.drain()
                    self.lose = b""
                    for each in self.ways:
                        each.transport.abort() if each is not sink else each.close()
        sink.close()


async def test_a_route_that_dies_without_a_word_is_noticed_and_the_next_message_says_so(
    make_engine: MakeEngine, engine: Engine, any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "HEARTBEAT", 0.2)
    async with (
        Route(any_services) as route,
        Engine(engine.settings, redis_url=route.url) as listener,
        listener.subscribe("c") as messages,
    ):
        await engine.publish("c", "before")
        assert await first(messages, 1) == ["before"]
        route.die()
        await engine.publish("c", "missed")
        async with asyncio.timeout(10):
            while not messages._interrupted:
                await asyncio.sleep(0.01)
            waiting = asyncio.create_task(anext(messages))
            while not waiting.done():
                await engine.publish("c", "after")
                await asyncio.sleep(0.01)
        assert waiting.result() == Notification("c", "after", missed=0, interrupted=True)


async def test_silence_alone_is_no_interruption(
    engine: Engine, any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "HEARTBEAT", 0.05)
    async with engine.subscribe("c") as messages:
        ping, asked = messages._pubsub.ping, asyncio.Semaphore(0)

        async def counted() -> None:
            await ping()
            asked.release()

        monkeypatch.setattr(messages._pubsub, "ping", counted)
        async with asyncio.timeout(10):
            for _ in range(3):
                await asked.acquire()
            await engine.publish("c", "at last")
            assert await anext(messages) == Notification("c", "at last", missed=0, interrupted=False)


async def test_a_message_whose_answer_is_lost_is_sent_once_and_the_next_one_is_tried(
    make_engine: MakeEngine, engine: Engine, any_services: Services
) -> None:
    async with Route(any_services) as route, Engine(engine.settings, redis_url=route.url) as publisher:
        async with engine.subscribe("c") as messages:
            await publisher.publish("c", "warm")
            route.lose = b"twice?"
            await publisher.publish("c", "twice?")
            await publisher.publish("c", "the next")
            assert await first(messages, 3) == ["warm", "twice?", "the next"]
        assert publisher.statistics().messages_lost == 1


async def test_what_is_rolled_back_as_the_first_thing_or_to_a_savepoint_sends_nothing(
    engine: Engine, any_services: Services
) -> None:
    async with engine.subscribe("c") as messages:
        async with engine.session() as session:
            await engine.publish("c", "rolled back")
            await session.rollback()
            with contextlib.suppress(KeyError):
                async with session.begin_nested():
                    async with session.begin_nested():
                        await engine.publish("c", "undone")
                    raise KeyError
            await engine.publish("c", "sent")
        assert await first(messages, 1) == ["sent"]


async def test_a_channel_that_is_no_text_of_unicode_is_refused_before_the_commit(
    engine: Engine, any_services: Services
) -> None:
    with pytest.raises(InvalidInput):
        await engine.publish("\ud800", "x")
