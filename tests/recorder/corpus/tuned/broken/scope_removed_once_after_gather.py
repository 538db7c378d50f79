"""A price checker that asks for several products with gather, through a scoped session.

It removes the session once, at the end, in its own task: the sessions of the tasks inside the gather stay open.
"""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

metadata = MetaData()
prices = Table(
    "scope_removed_once_after_gather",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("price", Integer),
)


class Prices:
    def __init__(self, db):
        self.db = db

    async def of(self, number):
        return await self.db.scalar(select(prices.c.price).where(prices.c.id == number))  # finding: scope-mismatch

    async def of_all(self, numbers):
        try:
            return await asyncio.gather(*map(self.of, numbers))
        finally:
            await self.db.remove()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=3)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(prices), [{"id": number, "price": number * 10} for number in (1, 2, 3)])
    shop = Prices(async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task))
    print(await shop.of_all([1, 2, 3]))
    print(engine.pool.status())
    await engine.dispose()
    return shop


shop = asyncio.run(main())
