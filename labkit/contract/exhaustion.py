"""Exhaustion: a pool with nothing left serves its waiters in turn; a block that fails gives back what it took."""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from labkit.contract.clause import clause, expect, promised
from labkit.contract.stage import new_user, opened
from labkit.engine import Engine
from labkit.services import Services

SHORT = 0.3  # seconds that a pool lets a task wait where none should have to


@clause()
async def the_waiting_tasks_of_a_pool_are_served(engine_class: type[Engine], services: Services) -> None:
    """With one connection and many tasks each of them has its turn."""
    served: list[int] = []

    async def read(number: int) -> None:
        async with engine.session() as session:
            await session.execute(select(1))
            served.append(number)

    # Each checkout asks the server, and so takes a moment.
    async with opened(engine_class, services, pool_size=1, max_overflow=0, ping_after=0.0) as engine:
        with promised("everybody gets the one connection in turn"):
            await asyncio.gather(*(read(number) for number in range(5)))
        expect("each task was served once", found=sorted(served), to_be=[0, 1, 2, 3, 4])


@clause()
async def blocks_that_fail_leave_room_for_others(engine_class: type[Engine], services: Services) -> None:
    """However many blocks fail, the pool is not used up."""

    async def fail() -> None:
        async with engine.session() as session:
            await session.execute(select(1))
            raise LookupError

    async with opened(engine_class, services, pool_size=1, max_overflow=0, pool_timeout=SHORT) as engine:
        for _ in range(3):
            await asyncio.gather(fail(), return_exceptions=True)
        with promised("a connection for whoever comes after blocks that failed"):
            async with engine.session() as session:
                await session.execute(select(1))


@clause()
async def a_step_inside_a_block_needs_no_second_connection(engine_class: type[Engine], services: Services) -> None:
    """A pool of one connection is enough for a block, whatever is done inside it."""
    async with opened(engine_class, services, pool_size=1, max_overflow=0, pool_timeout=SHORT) as engine:
        try:
            async with engine.session() as session:
                await session.execute(select(1))
                await engine.save(new_user())
        except (NoConnection, OperationalError) as error:
            raise AssertionError(
                f"expected: a step on the connection of its block; got: {type(error).__name__}: {error}"
            ) from error
