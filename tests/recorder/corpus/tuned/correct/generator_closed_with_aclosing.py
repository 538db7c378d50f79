"""A search that reads rows through an async generator and stops at the first hit, inside contextlib.aclosing."""

import asyncio
import os
from contextlib import aclosing

from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

metadata = MetaData()
numbers = Table("generator_closed_with_aclosing", metadata, Column("id", Integer, primary_key=True))


async def all_rows(engine):
    async with engine.connect() as conn:
        result = await conn.stream(select(numbers.c.id).order_by(numbers.c.id))
        async for row in result:
            yield row.id


async def first_above(engine, limit):
    async with aclosing(all_rows(engine)) as rows:
        async for number in rows:
            if number > limit:
                return number


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=1)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(numbers), [{"id": number} for number in range(1, 20)])
    print("found:", await first_above(engine, 7), await first_above(engine, 12))
    await engine.dispose()


asyncio.run(main())
