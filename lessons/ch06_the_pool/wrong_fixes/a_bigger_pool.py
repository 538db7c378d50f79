"""
Give the engine a bigger pool.

Fails: test_a_stranger_costs_no_connection

Because: a bigger pool has more connections to lose. The same strangers have to come more often, and then it is as
empty.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=50, max_overflow=50, pool_timeout=0.3)

    async def greet(self, email, greeting):
        connection = await self.engine.connect()
        name = await connection.scalar(select(User.name).where(User.email == email))
        if name is None:
            return "Who are you?"
        text = greeting.format(name=name)
        await connection.close()
        return text

    async def close(self):
        await self.engine.dispose()
