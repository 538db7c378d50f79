"""A photo service that keeps its session open while it sends the photo to a slow storage.

With one connection in the pool a second request waits until the pool gives up, and is answered with 503.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=0.3)
sessions = async_sessionmaker(engine)


class Storage:
    def __init__(self) -> None:
        self.busy = asyncio.Event()
        self.free = asyncio.Event()

    async def put(self, photo: bytes) -> int:
        self.busy.set()
        await self.free.wait()
        return len(photo)


async def upload(storage: Storage, photo: bytes) -> int:
    async with sessions() as session:
        number = await session.scalar(text("SELECT 1"))
        return number + await storage.put(photo)


async def show(storage: Storage) -> int:
    await storage.busy.wait()
    try:
        async with sessions() as session:
            return await session.scalar(text("SELECT 200"))  # finding: pool-exhausted
    except PoolTimeout:
        return 503
    finally:
        storage.free.set()


async def main() -> None:
    storage = Storage()
    print(await asyncio.gather(upload(storage, b"pixels"), show(storage)))
    await engine.dispose()


asyncio.run(main())
