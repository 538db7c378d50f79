"""
One piece of work, one session, one end.

The draft had a single session for its whole life, and never came to an end with it. So nothing was committed, its
connection was always out, one error would have spoilt all that came later, and its test asked the very session
that had written. Here each call has a session of its own. The end of `begin()` is the ink: it commits, or rolls
back when there was an error, and closes the session, which gives the connection back. `get` only reads, and needs
no commit. The factory is made once, and so is the setting under which objects can be read after their commit.

The test was changed too: it asks the server.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from labkit import User
from labkit.services.evidence import count_rows


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)

    async def save(self, *objects):
        async with self.sessions.begin() as session:
            session.add_all(objects)

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            return await session.scalar(query)

    async def close(self):
        await self.pool.dispose()


async def test_a_saved_user_is_there(engine, services):
    await engine.save(User(email="ada@example.org", name="Ada"))
    assert await count_rows(services, "users", email="ada@example.org") == 1
