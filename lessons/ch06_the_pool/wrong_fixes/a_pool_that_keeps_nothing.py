"""
Take `NullPool`, which keeps no connections.

Fails: test_a_stranger_costs_no_connection

Because: a connection that nobody closes stays open, with a pool or without. Without one nothing even counts it, and
every greeting pays for a login of its own.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, poolclass=NullPool)

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
