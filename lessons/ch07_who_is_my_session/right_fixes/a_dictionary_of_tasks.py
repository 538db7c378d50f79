"""A registry of one's own: a dictionary from each task to its session, which forgets at the end."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession


class Repository:
    def __init__(self, pool):
        self.pool = pool
        self.sessions = {}

    def session(self):
        return self.sessions[asyncio.current_task()]

    @asynccontextmanager
    async def unit_of_work(self):
        task = asyncio.current_task()
        async with AsyncSession(self.pool) as session, session.begin():
            self.sessions[task] = session
            try:
                yield self
            finally:
                del self.sessions[task]

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
