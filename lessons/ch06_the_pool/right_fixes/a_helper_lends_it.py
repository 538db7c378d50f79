"""Let one helper do the lending: it asks, it gives back, and between the two it knows nothing of greetings."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=2, max_overflow=0, pool_timeout=0.3)

    async def ask(self, question):
        async with self.engine.connect() as connection:
            return await connection.scalar(question)

    async def greet(self, email, greeting):
        name = await self.ask(select(User.name).where(User.email == email))
        return "Who are you?" if name is None else greeting.format(name=name)

    async def close(self):
        await self.engine.dispose()
