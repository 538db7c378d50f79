"""No registry: the unit of work is an object that has the session, and is passed to whoever works in it."""

from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_sessionmaker


class Unit:
    def __init__(self, session):
        self.own = session

    def session(self):
        return self.own

    async def add(self, user):
        self.own.add(user)
        await self.own.flush()


class Repository:
    def __init__(self, pool):
        self.factory = async_sessionmaker(pool)

    @asynccontextmanager
    async def unit_of_work(self):
        async with self.factory.begin() as session:
            yield Unit(session)
