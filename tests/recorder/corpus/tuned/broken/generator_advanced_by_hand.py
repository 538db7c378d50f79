"""A tiny web framework that solves a handler's dependency by hand.

It takes the first value of the generator and keeps the generator, which nobody ever finishes or closes.
"""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
pets = Table(
    "generator_advanced_by_hand", metadata, Column("id", Integer, primary_key=True), Column("name", String(20))
)


class Framework:
    def __init__(self, dependency):
        self.dependency = dependency
        self.running = []

    async def call(self, handler, *args):
        generator = self.dependency()
        self.running.append(generator)
        return await handler(await anext(generator), *args)


def dependency(sessions):
    async def get_session():
        session = sessions()
        yield session  # finding: abandoned-generator
        await session.close()

    return get_session


async def pet(session, number):
    return await session.scalar(select(pets.c.name).where(pets.c.id == number))


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(pets), [{"id": 1, "name": "Tom"}, {"id": 2, "name": "Rex"}])
    app = Framework(dependency(async_sessionmaker(engine)))
    print(await app.call(pet, 1), await app.call(pet, 2))
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
