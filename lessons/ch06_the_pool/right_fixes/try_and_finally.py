"""Close the connection in a `finally`, which is run on every way out."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=2, max_overflow=0, pool_timeout=0.3)

    async def greet(self, email, greeting):
        connection = await self.engine.connect()
        try:
            name = await connection.scalar(select(User.name).where(User.email == email))
            if name is None:
                return "Who are you?"
            return greeting.format(name=name)
        finally:
            await connection.close()

    async def close(self):
        await self.engine.dispose()
