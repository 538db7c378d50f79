"""Keep the session in a context variable: every task has a copy of its own."""

from contextlib import asynccontextmanager
from contextvars import ContextVar

from sqlalchemy.ext.asyncio import async_sessionmaker


class Repository:
    def __init__(self, pool):
        self.factory = async_sessionmaker(pool)
        self.current = ContextVar("current")

    def session(self):
        return self.current.get()

    @asynccontextmanager
    async def unit_of_work(self):
        async with self.factory() as session, session.begin():
            before = self.current.set(session)
            try:
                yield self
            finally:
                self.current.reset(before)

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
