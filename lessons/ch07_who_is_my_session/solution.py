"""
One registry, kept as long as the repository.

The registry is the memory: it knows which session it has made for which task. A new registry at every access is a
new memory, and remembers nothing. So it is built once, beside the factory, and everybody asks this one: `add`, the
commit, and the end.

At the end `remove()` does two things: it closes the session, which gives the connection back, and it forgets it.
It stands in a `finally`, so that it is done on every way out of the block, also on that of a cancellation.
Only then does the next unit of work of this task get a new one.

One task, one session: a unit of work that is begun inside another one would get the same, and its end would commit
both. Who wants units in units must count how deep they are, and let only the outermost end commit, as labkit's
engine does.
"""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker


class Repository:
    def __init__(self, pool):
        factory = async_sessionmaker(pool)
        self.registry = async_scoped_session(factory, scopefunc=asyncio.current_task)

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
