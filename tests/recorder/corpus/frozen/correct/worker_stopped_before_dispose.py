"""An application with a background worker that is cancelled and awaited before the engine is disposed."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


async def poll(engine: AsyncEngine, found: asyncio.Queue[int]) -> None:
    async with engine.connect() as conn:
        number = 0
        while True:
            number = await conn.scalar(text("SELECT :n + 1"), {"n": number})
            await found.put(number)


@asynccontextmanager
async def lifespan() -> AsyncIterator[asyncio.Queue[int]]:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    found: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    worker = asyncio.create_task(poll(engine, found), name="poller")
    try:
        yield found
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await engine.dispose()


async def main() -> None:
    async with lifespan() as found:
        numbers = [await found.get() for _ in range(5)]
    assert numbers == [1, 2, 3, 4, 5], numbers
    print(numbers)


if __name__ == "__main__":
    asyncio.run(main())
