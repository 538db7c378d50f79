"""A search that the user stops: its task is cancelled in the middle of a statement, inside async with."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


async def search(engine, started):
    async with AsyncSession(engine) as session:
        await session.execute(text("SELECT 1"))
        started.set()
        return (await session.execute(text("SELECT 2"))).scalar_one()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    started = asyncio.Event()
    task = asyncio.create_task(search(engine, started))
    await started.wait()
    task.cancel()
    try:
        print("found:", await task)
    except asyncio.CancelledError:
        print("stopped")
    async with AsyncSession(engine) as session:
        print("again:", await session.scalar(text("SELECT 3")))
    await engine.dispose()


asyncio.run(main())
