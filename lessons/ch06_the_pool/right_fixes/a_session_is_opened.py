"""Borrow through a session, whose `async with` gives its connection back."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=2, max_overflow=0, pool_timeout=0.3)

    async def greet(self, email, greeting):
        async with AsyncSession(self.engine) as session:
            guest = await session.scalar(select(User).where(User.email == email))
            if guest is None:
                return "Who are you?"
            return greeting.format(name=guest.name)

    async def close(self):
        await self.engine.dispose()
