"""The story's scenes: each opens an engine, uses it as the story tells, and closes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import close_all_sessions

from labkit.engine import Engine, Message, Room, User
from labkit.services import Capability, Services
from labkit.services.evidence import connections, count_rows

__all__ = [
    "Held",
    "Saved",
    "StoryScene",
    "count_connections",
    "experiment_close_all_sessions",
    "lose_a_write",
    "save_once",
    "save_twice",
    "two_accesses",
]

StoryScene = Callable[[type[Engine], Services], Coroutine[Any, Any, Any]]

EMAIL = "ada@example.org"


@asynccontextmanager
async def fresh(engine_class: type[Engine], services: Services) -> AsyncIterator[Engine]:
    """Open an engine on empty tables."""
    engine = engine_class(database_url=services.database_url, redis_url=services.redis_url)
    async with engine:
        await engine.create_tables()
        async with engine.session() as session:
            for model in (Message, Room, User):
                await session.execute(delete(model))
        yield engine


@dataclass(frozen=True)
class Saved:
    """What the database and the pool say after a save."""

    built: str
    rows: int
    checked_out: int


async def save_once(engine_class: type[Engine], services: Services) -> Saved:
    """Save a user, and count."""
    async with fresh(engine_class, services) as engine:
        built = repr(engine)
        await engine.save(User(email=EMAIL, name="Ada"))
        return Saved(built, await count_rows(services, "users"), engine.statistics().checked_out)


async def save_twice(engine_class: type[Engine], services: Services) -> None:
    """Save the same user again, and let the integrity error out."""
    async with fresh(engine_class, services) as engine:
        await engine.save(User(email=EMAIL, name="Ada"))
        await engine.save(User(email=EMAIL, name="Ada"))


async def experiment_close_all_sessions(engine_class: type[Engine], services: Services) -> None:
    """Save the same user again, and close every session there is before the loop ends."""
    async with fresh(engine_class, services) as engine:
        try:
            await engine.save(User(email=EMAIL, name="Ada"))
            await engine.save(User(email=EMAIL, name="Ada"))
        finally:
            await close_all_sessions()


async def lose_a_write(engine_class: type[Engine], services: Services) -> int:
    """Save a user inside a block, which is a second access to the session; return the rows on the server."""
    async with fresh(engine_class, services) as engine:
        async with engine.session():
            await engine.save(User(email=EMAIL, name="Ada"))
        return await count_rows(services, "users")


async def two_accesses(engine_class: type[Engine], services: Services) -> bool:
    """Ask for the session twice in one task; return whether it was the same one."""
    async with fresh(engine_class, services) as engine, engine.session() as first, engine.session() as second:
        return first is second


@dataclass(frozen=True)
class Held:
    """Who holds connections: the pool's own count, and the server's, while the engine is open and afterwards."""

    checked_out: int
    on_server_open: int
    on_server_closed: int


async def count_connections(engine_class: type[Engine], services: Services) -> Held:
    """Save the same user again, mind the integrity error, and count the connections."""
    services.require(Capability.PROCESSLIST)
    others = {each.id for each in await connections(services)}
    async with fresh(engine_class, services) as engine:
        await engine.save(User(email=EMAIL, name="Ada"))
        with suppress(IntegrityError):
            await engine.save(User(email=EMAIL, name="Ada"))
        out = engine.statistics().checked_out
        before = [each for each in await connections(services) if each.id not in others]
    return Held(out, len(before), await _still_there(services, {each.id for each in before}))


async def _still_there(services: Services, ids: set[int]) -> int:
    # A server takes a connection off its list a moment after the goodbye: it is asked until it has, for a second.
    for _ in range(50):
        left = ids & {each.id for each in await connections(services)}
        if not left:
            return 0
        await asyncio.sleep(0.02)
    return len(left)
