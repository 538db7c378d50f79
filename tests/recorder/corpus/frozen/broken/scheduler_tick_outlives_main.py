"""A scheduler that starts its jobs as tasks and disposes the engine when it is told to stop.

One job still sleeps with its session when main ends: it is cancelled late, and gives its connection back to
a pool that has been disposed already.
"""

import asyncio
import os
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])  # finding: engine-not-disposed
sessions = async_sessionmaker(engine)


class Scheduler:
    def __init__(self) -> None:
        self.jobs: set[asyncio.Task] = set()

    def every_tick(self, job) -> None:
        task = asyncio.create_task(job())
        self.jobs.add(task)
        task.add_done_callback(self.jobs.discard)


async def lock_and_wait(locked: asyncio.Event, name: str) -> None:
    async with sessions() as session:
        await session.execute(text("SELECT :name"), {"name": name})  # finding: lost-task
        locked.set()
        await asyncio.sleep(60)
        await session.commit()


async def main() -> None:
    scheduler, locked = Scheduler(), asyncio.Event()
    scheduler.every_tick(partial(lock_and_wait, locked, "cleanup"))
    await locked.wait()
    print("stopping with", len(scheduler.jobs), "job")
    await engine.dispose()


asyncio.run(main())
