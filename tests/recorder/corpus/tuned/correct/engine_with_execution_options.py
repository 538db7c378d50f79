"""A repository that reads through a copy of its engine with other execution options and the same pool."""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
notes = Table(
    "engine_with_execution_options",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", String(30)),
)


class Notes:
    def __init__(self, engine):
        self.write = async_sessionmaker(engine)
        self.read = async_sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))

    async def add(self, body):
        async with self.write.begin() as session:
            await session.execute(insert(notes).values(body=body))

    async def all(self):
        async with self.read() as session:
            return (await session.scalars(select(notes.c.body).order_by(notes.c.id))).all()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
    repository = Notes(engine)
    for body in ("one", "two"):
        await repository.add(body)
    print(await repository.all())
    await engine.dispose()


asyncio.run(main())
