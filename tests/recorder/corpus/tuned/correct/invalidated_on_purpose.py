"""A failover command that gives up connections on purpose: softly, at their next use, and at once."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


async def answer(engine):
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT 1"))


async def give_up_softly(engine):
    async with engine.connect() as conn:
        raw = await conn.get_raw_connection()
        raw.invalidate(soft=True)
        return await conn.scalar(text("SELECT 2"))


async def give_up_now(engine):
    async with engine.connect() as conn:
        await conn.execute(text("SELECT 3"))
        await conn.invalidate()
    async with AsyncSession(engine) as session:
        await session.execute(text("SELECT 4"))
        await session.invalidate()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=1)
    print(await answer(engine), await give_up_softly(engine), await answer(engine))
    await give_up_now(engine)
    print(await answer(engine))
    await engine.dispose()


asyncio.run(main())
