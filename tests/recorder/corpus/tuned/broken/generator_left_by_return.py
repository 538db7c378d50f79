"""A service that gets its session from an async generator, as a web dependency would give it.

Returning out of the async for drops the generator before its end; its session is closed later, by whoever.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
sessions = async_sessionmaker(engine)


async def get_session():
    async with sessions() as session:
        yield session  # finding: abandoned-generator


async def price(number):
    async for session in get_session():
        return await session.scalar(text("SELECT :number * 5"), {"number": number})


async def main():
    print("prices:", int(await price(1)), int(await price(2)))


asyncio.run(main())
