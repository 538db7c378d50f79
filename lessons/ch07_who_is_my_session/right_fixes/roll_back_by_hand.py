"""
Keep one registry, and write each of the two ends: a commit, or a rollback and the error again.

`BaseException` is every error, a cancellation too. To close a session rolls back as well, so this says more than it
must; nothing is wrong with that.
"""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker


class Repository:
    def __init__(self, pool):
        self.registry = async_scoped_session(async_sessionmaker(pool), scopefunc=asyncio.current_task)

    def session(self):
        return self.registry()

    @asynccontextmanager
    async def unit_of_work(self):
        try:
            yield self
            await self.session().commit()
        except BaseException:
            await self.session().rollback()
            raise
        finally:
            await self.registry.remove()

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
