"""A search that reads rows through an async generator until it has found one.

The break leaves the generator suspended, with its connection and its stream, until the loop ends.
"""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

metadata = MetaData()
numbers = Table("generator_of_rows_not_finished", metadata, Column("id", Integer, primary_key=True))


class Rows:
    def __init__(self, engine):
        self.engine = engine

    async def all(self):
        async with self.engine.connect() as conn:
            result = await conn.stream(select(numbers.c.id).order_by(numbers.c.id))
            async for row in result:
                yield row.id  # finding: abandoned-generator


async def first_above(rows, limit):
    async for number in rows:
        if number > limit:
            break
    return number


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(numbers), [{"id": number} for number in range(1, 20)])
    rows = Rows(engine).all()
    print("found:", await first_above(rows, 7))


asyncio.run(main())
