"""A counter that writes through an engine in AUTOCOMMIT, so that no commit is needed; Core and ORM sessions."""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
counters = Table(
    "autocommit_engine_writes", metadata, Column("id", Integer, primary_key=True), Column("hits", Integer)
)


async def hit(sessions, number):
    async with sessions() as session:
        await session.execute(update(counters).where(counters.c.id == number).values(hits=counters.c.hits + 1))


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], isolation_level="AUTOCOMMIT")
    async with engine.connect() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(counters), [{"id": 1, "hits": 0}, {"id": 2, "hits": 0}])
    sessions = async_sessionmaker(engine)
    for number in (1, 2, 2):
        await hit(sessions, number)
    async with sessions() as session:
        print("hits:", int(await session.scalar(select(func.sum(counters.c.hits)))))
    await engine.dispose()


asyncio.run(main())
