"""The cache: it spares the database reads, and never gives a row older than the last commit."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from sqlalchemy import event, select
from sqlalchemy.util import await_only

from labkit.contract.clause import clause, expect
from labkit.contract.reads import held_reads
from labkit.contract.sequencer import Sequencer, sequencer
from labkit.contract.stage import new_user, opened
from labkit.engine import Engine, User
from labkit.services import Services

READERS = 8
ABOUT_TO_COMMIT, COMMITS = "the writer is about to commit", "the writer commits"
READS, HAS_READ = "a reader wants the row", "the reader has the row"


@clause()
async def many_readers_of_one_row_read_it_once(engine_class: type[Engine], services: Services) -> None:
    """A reader that misses a row while another one reads it waits for that answer."""
    ada = new_user()
    email = ada.email  # before the save: whether it can be read afterwards is another promise
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        async with held_reads(engine, email) as reads:
            readers = [asyncio.create_task(engine.get(User, email=email)) for _ in range(READERS)]
            # Only the engine's own count says that a reader has found nothing in the cache, and is on its way.
            while engine.statistics().cache_misses < READERS and not any(map(asyncio.Task.done, readers)):  # noqa: ASYNC110
                await asyncio.sleep(0)
            reads.let_go.set()
            await asyncio.gather(*readers)
        expect(f"one read of the database for {READERS} readers", found=reads.count, to_be=1)


@clause(ordered=True)
async def no_reader_gets_a_row_older_than_the_last_commit(engine_class: type[Engine], services: Services) -> None:
    """However long a commit takes, and whichever task reads meanwhile: after it every reader gets the new row."""
    ada = new_user()
    email = ada.email
    points = sequencer(ABOUT_TO_COMMIT, READS, HAS_READ, COMMITS)
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_write(engine, email, points))
            tasks.create_task(_read_meanwhile(engine, services, email, points))
        found = await engine.get(User, email=email)
        expect("the row as it was committed last", found=found and found.name, to_be="Countess")


async def _write(engine: Engine, email: str, points: Sequencer) -> None:
    async def wait() -> None:
        await points.reach(ABOUT_TO_COMMIT)
        await points.reach(COMMITS)

    async with engine.session() as session:
        found = (await session.execute(select(User).where(User.email == email))).scalar_one()
        found.name = "Countess"
        # Right before COMMIT is sent, after all that the engine does before it.
        event.listen(engine.engine.sync_engine, "commit", lambda _: await_only(wait()), once=True)


async def _read_meanwhile(engine: Engine, services: Services, email: str, points: Sequencer) -> None:
    with points:  # the writer waits in its commit, which no cancellation stops
        await points.reach(READS)
        await _age(services)
        await engine.get(User, email=email)
        await points.reach(HAS_READ)


async def _age(services: Services) -> None:
    """Let what Redis holds of users expire: nothing that is kept there outlives a slow commit for certain."""
    async with Redis.from_url(services.redis_url) as redis:
        async for key in redis.scan_iter(match="*users*"):
            await redis.delete(key)
