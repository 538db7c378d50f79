"""Redis away: reads fall back to the database, writes go on, and nobody is told more than once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from labkit.engine import Engine, User
from labkit.engine import redis as redis_module
from labkit.errors import InvalidSetting, Unreachable
from labkit.services import Capability, Services
from labkit.services.evidence import count_rows
from labkit.settings import Settings

EMAIL = "ada@example.org"


@pytest.fixture
async def alone(clean_services: Services, unused_tcp_port: int) -> AsyncIterator[Engine]:
    """Give an engine at whose Redis URL nobody answers."""
    settings = Settings(
        database_url=clean_services.database_url, redis_url=f"redis://:secret@127.0.0.1:{unused_tcp_port}/0"
    )
    async with Engine(settings) as engine:
        await engine.create_tables()
        yield engine


@pytest.fixture
async def redis_control(services: Services) -> AsyncIterator[Callable[[str], object]]:
    """Stop and start the real Redis; it runs again at the end."""
    control = services.control
    assert control is not None
    stopped = False

    async def command(what: str) -> None:
        nonlocal stopped
        stopped = what == "stop"
        await (control.stop if stopped else control.start)("redis")

    yield command
    if stopped:
        await control.start("redis")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


async def test_reads_and_writes_go_on_with_one_warning(
    alone: Engine, any_services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    ada = User(email=EMAIL, name="Ada")
    await alone.save(ada)
    for _ in range(3):
        user = await alone.get(User, email=EMAIL)
        assert user is not None
    ada.name = "Countess"
    await alone.save(ada)
    user = await alone.get(User, email=EMAIL)
    await alone.delete(ada)

    assert user is not None
    assert user.name == "Countess"
    assert await count_rows(any_services, "users") == 0
    assert len(warnings(caplog)) == 1
    assert "secret" not in caplog.text


async def test_a_message_is_lost_and_counted(alone: Engine, any_services: Services) -> None:
    await alone.publish("c", 1)
    async with alone.session():
        await alone.publish("c", 2)
    assert alone.statistics().messages_lost == 2


async def test_a_subscription_says_that_nobody_answers(alone: Engine, any_services: Services) -> None:
    with pytest.raises(Unreachable, match="No Redis answers") as caught:
        async with alone.subscribe("c"):
            pass
    assert "secret" not in str(caught.value)


async def test_a_redis_that_is_silent_is_done_without(clean_services: Services, any_services: Services) -> None:
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(
        database_url=any_services.database_url, redis_url=f"redis://127.0.0.1:{port}", redis_timeout=0.05
    )
    async with server, Engine(settings) as engine:
        await engine.create_tables()
        assert await engine.get(User, id=1) is None
        assert connected.is_set()
        loop = asyncio.get_running_loop()
        started = loop.time()
        for _ in range(20):
            await engine.get(User, id=1)
        # Twenty times the time limit would be a second: who found out once does not ask again at once.
        assert loop.time() - started < 0.9


async def test_without_a_redis_url_there_are_no_messages(
    make_engine: Callable[..., Engine], any_services: Services
) -> None:
    async with make_engine(redis=False) as engine:
        with pytest.raises(InvalidSetting, match="Set LABKIT_REDIS_URL"):
            await engine.publish("c", 1)
        with pytest.raises(InvalidSetting, match="Set LABKIT_REDIS_URL"):
            engine.subscribe("c")


@pytest.mark.needs(Capability.RESTART)
async def test_redis_stopped_and_started_again_is_used_again_and_nothing_old_comes_back(
    engine: Engine,
    services: Services,
    redis_control: Callable[..., object],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO, "labkit.engine")
    monkeypatch.setattr(redis_module, "PAUSE", 0.0)
    ada = User(email=EMAIL, name="Ada")
    await engine.save(ada)
    await engine.get(User, email=EMAIL)
    for outage in (1, 2):
        await redis_control("stop")  # type: ignore[misc]
        ada.name = f"Countess {outage}"
        await engine.save(ada)
        for _ in range(3):
            user = await engine.get(User, email=EMAIL)
            assert user is not None
            assert user.name == f"Countess {outage}"
        assert len(warnings(caplog)) == outage
        await redis_control("start")  # type: ignore[misc]
        await engine.publish("c", "anybody there?")
        assert [record.message for record in caplog.records].count("Redis answers again") == outage
        user = await engine.get(User, email=EMAIL)
        assert user is not None
        assert user.name == f"Countess {outage}"
    assert engine.statistics().messages_lost == 0


@pytest.mark.needs(Capability.RESTART)
async def test_a_restart_that_nobody_noticed_costs_no_message(
    engine: Engine, services: Services, redis_control: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_module, "PING_AFTER", 0.0)
    await engine.publish("c", "before")
    await redis_control("stop")  # type: ignore[misc]
    await redis_control("start")  # type: ignore[misc]

    await engine.publish("c", "after")

    assert engine.statistics().messages_lost == 0


@pytest.mark.needs(Capability.RESTART)
async def test_what_redis_kept_over_an_outage_is_not_believed_after_a_write_it_missed(
    make_engine: Callable[..., Engine],
    services: Services,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_module, "PAUSE", 0.0)
    async with make_engine(cache_ttl=0.3) as engine, asyncio.timeout(20):
        await engine.create_tables()
        ada = User(email=EMAIL, name="Ada")
        await engine.save(ada)
        await engine.get(User, email=EMAIL)

        async def unanswered(question: object, **_: object) -> tuple[bool, None]:
            return False, None

        assert engine.redis is not None
        with monkeypatch.context() as away:
            away.setattr(engine.redis, "ask", unanswered)  # the network is cut, Redis lives on and keeps the row
            ada.name = "Countess"
            await engine.save(ada)
        user = await engine.get(User, email=EMAIL)
        assert user is not None
        assert user.name == "Countess"
        hits = engine.statistics().cache_hits
        while engine.statistics().cache_hits == hits:
            user = await engine.get(User, email=EMAIL)
            assert user is not None
            assert user.name == "Countess"
