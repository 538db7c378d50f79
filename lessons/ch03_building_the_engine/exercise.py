"""The first draft of an engine, and its own test, which passes. But nobody else ever sees what
was saved, and that is not all. Mend the engine; how it is used must stay."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from labkit import User


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.session = AsyncSession(self.pool)

    async def save(self, *objects):
        self.session.add_all(objects)
        await self.session.flush()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        return await self.session.scalar(query)

    async def close(self):
        await self.session.close()
        await self.pool.dispose()


async def test_a_saved_user_is_there(engine):
    await engine.save(User(email="ada@example.org", name="Ada"))
    assert await engine.get(User, email="ada@example.org") is not None
