"""
Keep the session in a context variable, and make one only where there is none.

Fails: test_two_tasks_at_once_have_two_sessions

Because: a task begins with a copy of the context in which it was made. One that is started inside a unit of work
finds that unit's session there, and takes it for its own.
"""

from contextlib import asynccontextmanager
from contextvars import ContextVar

from sqlalchemy.ext.asyncio import async_sessionmaker

current = ContextVar("current", default=None)


class Repository:
    def __init__(self, pool):
        self.factory = async_sessionmaker(pool)

    def session(self):
        if current.get() is None:
            current.set(self.factory())
        return current.get()

    @asynccontextmanager
    async def unit_of_work(self):
        try:
            self.session()
            yield self
            await self.session().commit()
        finally:
            await self.session().close()
            current.set(None)

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
