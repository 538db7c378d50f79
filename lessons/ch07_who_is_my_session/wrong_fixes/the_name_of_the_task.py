"""
Keep one registry, and find the session by the name of the task.

Fails: test_two_tasks_of_one_name_have_two_sessions

Because: a name is given by whoever makes the task, and two tasks may have the same. They share one session then,
and the one that ends first commits and closes the work of the other.
"""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker


def task_name():
    return asyncio.current_task().get_name()


class Repository:
    def __init__(self, pool):
        self.registry = async_scoped_session(async_sessionmaker(pool), scopefunc=task_name)

    def session(self):
        return self.registry()

    @asynccontextmanager
    async def unit_of_work(self):
        try:
            yield self
            await self.session().commit()
        finally:
            await self.registry.remove()

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
