"""
Keep one registry; after an error roll back, and go on.

Fails: test_every_error_comes_out_and_leaves_nothing

Because: the caller is not told. It believes that its user was added, and everything else in the block is lost
without a word. Roll back, and then `raise`.
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
        except Exception:
            await self.session().rollback()
        finally:
            await self.registry.remove()

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
