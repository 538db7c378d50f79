"""Sessions: one for each task, the same all through its block, and over with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession

from labkit.contract.clause import clause, expect
from labkit.contract.sequencer import sequencer
from labkit.contract.stage import new_user, opened
from labkit.engine import Engine
from labkit.services import Services
from labkit.services.evidence import count_rows

EARLIER, LATER = 5, 20  # tasks


@clause()
async def inside_one_task_it_is_always_the_same_session(engine_class: type[Engine], services: Services) -> None:
    """A block inside a block, in whatever function, works in the session of the outermost."""

    async def deeper(levels: int) -> AsyncSession:
        async with engine.session() as session:
            return session if not levels else await deeper(levels - 1)

    async with opened(engine_class, services) as engine, engine.session() as session:
        expect("the same session three calls deeper", found=await deeper(3) is session, to_be=True)


@clause(ordered=True)
async def another_task_gets_its_own_session(engine_class: type[Engine], services: Services) -> None:
    """Two tasks that are in a block at the same time are never in one session."""
    points = sequencer("Ada is inside", "Bob is inside", "Ada goes on")
    sessions: list[AsyncSession] = []

    async def ada() -> None:
        async with engine.session() as session:
            sessions.append(session)
            await points.reach("Ada is inside")
            await points.reach("Ada goes on")

    async def bob() -> None:
        async with engine.session() as session:
            sessions.append(session)
            await points.reach("Bob is inside")

    async with opened(engine_class, services) as engine:
        await asyncio.gather(ada(), bob(), return_exceptions=True)
        expect("a session of one's own in each task", found=len(set(map(id, sessions))), to_be=2)


@clause(ordered=True)
async def the_end_of_another_task_commits_nothing(engine_class: type[Engine], services: Services) -> None:
    """What a block has written is its own to commit: another task's block ends, and this one can still fail."""
    points = sequencer("Ada has written", "Bob is inside", "Bob has ended", "Ada fails")
    user = new_user()
    email = user.email

    async def ada() -> None:
        with points, suppress(LookupError):  # Bob does not wait for a refused write
            await write()

    async def write() -> None:
        async with engine.session() as session:
            session.add(user)
            await session.flush()
            await points.reach("Ada has written")
            await points.reach("Ada fails")
            raise LookupError

    async def bob() -> None:
        await points.reach("Bob is inside")
        async with engine.session():
            pass
        await points.reach("Bob has ended")

    async with opened(engine_class, services) as engine:
        await asyncio.gather(ada(), bob(), return_exceptions=True)
        rows = await count_rows(services, "users", email=email)
        expect("nothing of a block that failed", found=rows, to_be=0)


@clause()
async def the_next_block_of_a_task_gets_a_new_session(engine_class: type[Engine], services: Services) -> None:
    """A session is forgotten with its block."""
    async with opened(engine_class, services) as engine:
        async with engine.session() as first:
            pass
        async with engine.session() as second:
            pass
        expect("a new session in the next block", found=first is second, to_be=False)


@clause()
async def a_later_task_gets_a_new_session(engine_class: type[Engine], services: Services) -> None:
    """A session ends with the task that had it, whatever else of that task is used again."""

    turn = asyncio.Lock()

    async def read() -> AsyncSession:
        async with turn, engine.session() as session:
            await session.execute(select(1))
            return session

    async def reading(tasks: int) -> list[AsyncSession]:
        # No gather: it would keep its tasks in memory until the garbage is collected.
        started = [asyncio.create_task(read()) for _ in range(tasks)]
        return [await task for task in started]

    async with opened(engine_class, services) as engine:
        # All the later ones exist at once, so that they take the places in memory that the earlier ones had.
        sessions = await reading(EARLIER) + await reading(LATER)
        expect("a session for each task", found=len(set(map(id, sessions))), to_be=EARLIER + LATER)


@clause()
async def a_session_is_closed_with_its_block(engine_class: type[Engine], services: Services) -> None:
    """A session that is kept after its block can't get a connection: nothing would give that one back."""
    async with opened(engine_class, services) as engine:
        async with engine.session() as session:
            pass
        try:
            await session.execute(select(1))
        except InvalidRequestError:
            pass
        else:
            raise AssertionError("expected: a session that is closed after its block; got: one that still reads")
