"""A service whose plain function needs the database, and is called from a coroutine.

nest_asyncio2 makes the inner asyncio.run possible; from then on asyncio.run does not close its loop any more.
"""

import asyncio
import os

import nest_asyncio2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


def allow_nested_runs():
    nest_asyncio2.apply()  # finding: nest-asyncio-active


class Settings:
    def __init__(self, engine):
        self.engine = engine

    async def read(self, name):
        async with AsyncSession(self.engine) as session:
            return await session.scalar(text("SELECT LENGTH(:name)"), {"name": name})

    def __getitem__(self, name):
        return asyncio.run(self.read(name))


async def handler(settings):
    return {"limit": settings["limit"], "size": settings["size"]}


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        print(await handler(Settings(engine)))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    allow_nested_runs()
    asyncio.run(main())
