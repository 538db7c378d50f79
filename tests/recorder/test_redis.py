"""Connections of Redis clients: leased for a command or for long, given back, and lost with their loop."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Any

import pytest
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from labkit.recorder import FlightRecorder
from labkit.services import Services

from .aids import LEAKY, codes, ends, fly, incidents, told

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]


@pytest.fixture
def redis_url(services: Services) -> str:
    """Give the URL of each provider's Redis."""
    assert services.redis_url
    return services.redis_url


def test_each_command_is_a_lease_of_one_connection(redis_url: str) -> None:
    async def main() -> None:
        async with Redis.from_url(redis_url) as client:
            for _ in range(3):
                await client.get("x")

    flight = fly(main)
    lease = ["checkout 1", "checkin 1"]
    assert told(flight) == ["opened 1", *lease, *lease, *lease, "closed 1", "loop closes"]
    [pool] = flight.record().pools
    assert pool.kind == "redis"
    assert pool.url.startswith("redis://127.0.0.1:")
    assert codes(flight) == []


def test_a_subscription_holds_its_connection_until_it_is_closed(redis_url: str) -> None:
    async def main() -> None:
        async with Redis.from_url(redis_url) as client, client.pubsub() as subscription:
            await subscription.subscribe("news")
            [holder] = flight.holders()
            assert holder.place
        assert flight.holders() == []

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert codes(flight) == []


def test_a_subscription_never_closed_is_lost_with_its_loop(redis_url: str) -> None:
    async def main() -> None:
        client = Redis.from_url(redis_url)
        subscription = client.pubsub()
        await subscription.subscribe("news")
        kept.append((client, subscription))

    kept: list[Any] = []
    flight = fly(main)
    assert incidents(flight) == ["held at loop end"]
    [finding] = flight.findings()
    assert finding.code == "redis-leaked-connection"
    assert "and never given back" in finding.summary


def test_a_client_never_closed_is_told_by_where_it_was_made(redis_url: str) -> None:
    async def main() -> None:
        client = Redis.from_url(redis_url)
        await client.get("x")
        kept.append(client)

    kept: list[Any] = []
    [finding] = fly(main).findings()
    assert finding.code == "redis-leaked-connection"
    assert "the Redis client made at test_redis.py:" in finding.summary
    assert "was never closed" in finding.summary


def test_a_client_that_two_loops_use_is_told_before_it_fails(redis_url: str) -> None:
    async def main() -> None:
        await client.get("x")

    client = Redis.from_url(redis_url)
    with FlightRecorder() as flight:
        asyncio.run(main())
        with pytest.raises((RuntimeError, RedisConnectionError)):
            asyncio.run(main())
        gc.collect()
    findings = flight.findings()
    assert findings[0].code == "redis-crossed-loops"
    assert "was opened at test_redis.py:" in findings[0].summary
    assert "on loop #1 (closed) and used" in findings[0].summary


def test_a_pool_that_waits_is_recorded_like_any_other(redis_url: str) -> None:
    async def main() -> None:
        pool = BlockingConnectionPool.from_url(redis_url, max_connections=1)
        client = Redis(connection_pool=pool)
        await asyncio.gather(*(client.get("x") for _ in range(4)))
        await client.aclose()
        await pool.disconnect()

    flight = fly(main)
    assert ends(flight) == ["returned"] * 4
    assert (flight.statistics().opened, flight.statistics().open, codes(flight)) == (1, 0, [])


def test_a_connection_that_connects_again_is_another_connection(redis_url: str) -> None:
    async def main() -> None:
        client = Redis.from_url(redis_url)
        await client.get("x")
        await client.connection_pool.disconnect()
        await client.get("x")
        await client.aclose()

    flight = fly(main)
    assert told(flight)[:5] == ["opened 1", "checkout 1", "checkin 1", "closed 1", "opened 2"]
    assert codes(flight) == []


def test_a_client_that_was_there_before_is_recorded_from_its_next_command(redis_url: str) -> None:
    async def main() -> None:
        async with Redis.from_url(redis_url) as client:
            await client.get("x")
            leased = await client.connection_pool.get_connection()
            with FlightRecorder() as flight:
                await client.connection_pool.release(leased)
                await client.get("x")
            assert (ends(flight), codes(flight)) == (["returned"], [])

    asyncio.run(main())


def test_only_targets_are_recorded(redis_url: str) -> None:
    async def main() -> None:
        async with Redis.from_url(redis_url) as mine, Redis.from_url(redis_url) as other:
            with FlightRecorder(mine) as flight:
                await mine.get("x")
                await other.get("x")
                assert flight.statistics().checkouts == 1
                assert flight.detach(mine)
                await mine.get("x")
                assert flight.statistics().checkouts == 1

    asyncio.run(main())


def test_a_lease_lost_by_a_task_is_given_back_to_nobody(redis_url: str) -> None:
    async def main() -> None:
        async with Redis.from_url(redis_url) as client:
            connection = await client.connection_pool.get_connection()
            assert connection.is_connected
            del connection
            gc.collect()
            assert len(flight.holders()) == 1

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert codes(flight) == ["redis-leaked-connection"]


def test_a_socket_has_a_url_of_its_own() -> None:
    with FlightRecorder() as flight:
        pools = [
            ConnectionPool.from_url("unix:///run/redis.sock?db=2"),
            ConnectionPool.from_url("redis://user:secret@cache:7000/3"),
            ConnectionPool(),
        ]
        entries = [flight._trackers.redis._pools[pool].url for pool in pools]
    assert entries == ["unix:///run/redis.sock", "redis://cache:7000/3", "redis://localhost:6379/0"]


def test_without_redis_everything_else_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio.connection", None)
    with FlightRecorder() as flight:
        ConnectionPool()
    assert (flight.record().pools, flight.record().faults) == ([], [])
