"""A worker with a heartbeat in the background, which is cancelled and awaited before the engine is disposed of."""

import asyncio
import os
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


async def heartbeat(engine, beating):
    async with AsyncSession(engine) as session:
        while True:
            await session.execute(text("SELECT 1"))
            beating.set()
            await asyncio.sleep(60)


@asynccontextmanager
async def background(coroutine, name):
    task = asyncio.create_task(coroutine, name=name)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    beating = asyncio.Event()
    try:
        async with background(heartbeat(engine, beating), "heartbeat") as task:
            await beating.wait()
            print("working, heartbeat alive:", not task.done())
    finally:
        await engine.dispose()


asyncio.run(main())
