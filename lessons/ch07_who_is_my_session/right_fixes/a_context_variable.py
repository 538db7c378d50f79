"""
Keep the session in a context variable, which every unit of work sets for its own task.

A task begins with what its maker had, and its maker never sees what it sets. Python wants such a variable at the
top of a module: one that is made for each object may never be collected.
"""

from contextlib import asynccontextmanager
from contextvars import ContextVar

from sqlalchemy.ext.asyncio import async_sessionmaker

current = ContextVar("current")


class Repository:
    def __init__(self, pool):
        self.factory = async_sessionmaker(pool)

    def session(self):
        return current.get()

    @asynccontextmanager
    async def unit_of_work(self):
        async with self.factory() as session, session.begin():
            before = current.set(session)
            try:
                yield self
            finally:
                current.reset(before)

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
