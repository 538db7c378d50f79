"""Clauses on Redis: keys, expiry, pipelines, messages, clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ConnectionError, ResponseError

from labkit.services import Capability, Services

from .conftest import PATIENCE, lacks

pytestmark = pytest.mark.real_servers("core", "push")


@pytest.fixture
async def store(any_services: Services) -> AsyncIterator[Redis]:
    async with Redis.from_url(any_services.redis_url, single_connection_client=True) as client:
        await client.flushall()
        yield client


async def test_the_server_tells_its_version(store: Redis) -> None:
    assert await store.ping()
    assert (await store.info("server"))["redis_version"][0].isdigit()


async def test_a_wrong_password_is_refused(any_services: Services) -> None:
    parts = urlsplit(any_services.redis_url)
    if not parts.password:
        pytest.fail("the services' Redis asks for no password")
    for login in (":wrong@", ""):
        async with Redis.from_url(f"redis://{login}{parts.hostname}:{parts.port}/0") as stranger:
            with pytest.raises((AuthenticationError, ResponseError)):
                await stranger.ping()


async def test_a_key_is_set_read_and_deleted(store: Redis) -> None:
    assert await store.get("k") is None
    assert await store.set("k", b"\x00\r\n\xff")
    assert await store.get("k") == b"\x00\r\n\xff"
    assert (await store.delete("k"), await store.delete("k")) == (1, 0)


async def test_nx_sets_only_what_is_not_there(store: Redis) -> None:
    assert [await store.set("k", 1, nx=True, ex=60), await store.set("k", 2, nx=True, ex=60)] == [True, None]
    assert 0 < await store.ttl("k") <= 60


async def test_a_key_expires(store: Redis) -> None:
    await store.set("k", 1, px=60)
    async with asyncio.timeout(PATIENCE):
        while await store.exists("k"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("transaction", [True, False])
async def test_a_pipeline_answers_in_order(store: Redis, transaction: bool) -> None:
    pipe = store.pipeline(transaction=transaction)
    pipe.set("k", 1).incr("k").get("k").delete("k")
    assert await pipe.execute() == [True, 2, b"2", 1]


async def test_a_watched_key_that_changes_stops_the_transaction(any_services: Services, store: Redis) -> None:
    async with Redis.from_url(any_services.redis_url) as other, other.pipeline() as pipe:
        await pipe.watch("k")
        await store.set("k", 1)
        pipe.multi()
        pipe.set("k", 2)
        with pytest.raises(Exception, match="Watched variable changed"):
            await pipe.execute()
    assert await store.get("k") == b"1"


async def test_a_message_reaches_every_subscriber(any_services: Services, store: Redis) -> None:
    async with Redis.from_url(any_services.redis_url) as other, other.pubsub() as one, other.pubsub() as two:
        for subscriber in (one, two):
            await subscriber.subscribe("room")
            await subscriber.get_message(timeout=PATIENCE)
        assert await store.publish("room", "hello") == 2
        heard = [await s.get_message(ignore_subscribe_messages=True, timeout=PATIENCE) for s in (one, two)]
    assert [message["data"] for message in heard] == [b"hello", b"hello"]


async def test_a_client_is_listed_and_can_be_ended(any_services: Services, store: Redis) -> None:
    if lacks(any_services, Capability.CLIENT_LIST):
        return
    async with Redis.from_url(any_services.redis_url, single_connection_client=True, retry=None) as other:
        number = await other.client_id()
        assert number in [int(row["id"]) for row in await store.client_list()]
        assert await store.client_kill_filter(_id=str(number)) == 1
        assert number not in [int(row["id"]) for row in await store.client_list()]
        with pytest.raises(ConnectionError):
            await other.connection.read_response()


async def test_a_blocking_read_wakes_up(any_services: Services, store: Redis) -> None:
    async with Redis.from_url(any_services.redis_url) as other:
        waiting = asyncio.create_task(other.blpop(["queue"], timeout=PATIENCE))
        async with asyncio.timeout(PATIENCE):
            while not await store.exists("pushed"):
                await store.rpush("queue", "job")
                await store.set("pushed", 1)
        assert list(await waiting) == [b"queue", b"job"]
