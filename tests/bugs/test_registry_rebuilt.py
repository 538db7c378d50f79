"""The story's bug is the correct engine but for one seam, and does what its catalogue says."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import close_all_sessions

from labkit.bugs import RegistryRebuilt
from labkit.engine import Engine, User
from labkit.scene import Outcome, private_loop
from labkit.services import Capability, Services
from labkit.services.evidence import count_rows


def new(engine_class: type[Engine], services: Services) -> Engine:
    return engine_class(database_url=services.database_url, redis_url=services.redis_url)


def ada() -> User:
    return User(email="ada@example.org", name="Ada")


async def save_twice(engine_class: type[Engine], services: Services) -> None:
    async with new(engine_class, services) as engine:
        await engine.create_tables()
        await engine.save(ada())
        await engine.save(ada())


async def save_in_a_block(engine_class: type[Engine], services: Services) -> int:
    async with new(engine_class, services) as engine:
        await engine.create_tables()
        async with engine.session():
            await engine.save(ada())
        return await count_rows(services, "users")


async def two_accesses(engine_class: type[Engine], services: Services) -> bool:
    async with new(engine_class, services) as engine, engine.session() as first, engine.session() as second:
        return first is second


async def close_sessions_too(engine_class: type[Engine], services: Services) -> None:
    try:
        await save_twice(engine_class, services)
    finally:
        await close_all_sessions()


async def play(scene: Any, engine_class: type[Engine], services: Services) -> Outcome:
    return await asyncio.to_thread(private_loop, scene, engine_class, services)


def test_it_overrides_one_seam_with_its_signature_and_its_promise() -> None:
    [own] = [name for name, value in vars(RegistryRebuilt).items() if inspect.isfunction(value)]
    broken, correct = getattr(RegistryRebuilt, own), getattr(Engine, own)

    assert inspect.signature(broken) == inspect.signature(correct)
    assert broken.__doc__ == correct.__doc__


async def test_the_same_user_twice_leaves_a_connection_to_the_garbage(
    any_services: Services, clean_services: Services
) -> None:
    outcome = await play(save_twice, RegistryRebuilt, any_services)

    assert isinstance(outcome.exception, IntegrityError)
    assert any("garbage collector" in each.text for each in outcome.silent_failures)
    assert all(each.loop_closed for each in outcome.silent_failures)
    # aiosqlite ends its connection in its own thread, which asks no loop.
    on_server = Capability.SERVER in any_services.capabilities
    assert outcome.says("RuntimeError: Event loop is closed") == on_server


async def test_a_write_inside_a_block_is_lost_without_a_word(
    any_services: Services, clean_services: Services
) -> None:
    outcome = await play(save_in_a_block, RegistryRebuilt, any_services)

    assert outcome.get() == 0


async def test_each_access_gives_another_session(any_services: Services, clean_services: Services) -> None:
    assert (await play(two_accesses, RegistryRebuilt, any_services)).get() is False


async def test_closing_every_session_makes_the_error_go_away(
    any_services: Services, clean_services: Services
) -> None:
    outcome = await play(close_sessions_too, RegistryRebuilt, any_services)

    assert isinstance(outcome.exception, IntegrityError)
    assert outcome.silent_failures == ()


async def test_the_correct_engine_does_none_of_this(any_services: Services, clean_services: Services) -> None:
    again = await play(save_twice, Engine, any_services)

    assert isinstance(again.exception, IntegrityError)
    assert again.silent_failures == ()


async def test_the_correct_engine_keeps_the_write_and_the_session(
    any_services: Services, clean_services: Services
) -> None:
    assert (await play(save_in_a_block, Engine, any_services)).get() == 1
    assert (await play(two_accesses, Engine, any_services)).get() is True
