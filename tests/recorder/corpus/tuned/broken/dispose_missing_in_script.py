"""A nightly script that prints a sales report.

It closes its session and forgets the engine: the pool's idle connection outlives the loop.
"""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

metadata = MetaData()
sales = Table(
    "dispose_missing_in_script",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("region", String(20)),
    Column("amount", Integer),
)


async def load(engine):
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(
            insert(sales),
            [{"region": "north", "amount": 5}, {"region": "south", "amount": 8}, {"region": "north", "amount": 1}],
        )


async def report(engine):
    async with AsyncSession(engine) as session:
        query = select(sales.c.region, func.sum(sales.c.amount)).group_by(sales.c.region).order_by(sales.c.region)
        for region, amount in await session.execute(query):
            print(f"{region:10} {amount:6}")


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])  # finding: engine-not-disposed
    await load(engine)
    await report(engine)


if __name__ == "__main__":
    asyncio.run(main())
