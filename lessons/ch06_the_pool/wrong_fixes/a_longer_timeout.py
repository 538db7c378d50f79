"""
Wait longer for a connection.

Fails: test_a_stranger_costs_no_connection

Because: who waits, waits for somebody to give one back. Nobody holds these any more, so nobody will.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=2, max_overflow=0, pool_timeout=30)

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
