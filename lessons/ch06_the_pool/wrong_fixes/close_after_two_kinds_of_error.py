"""
Close the connection after the two errors that were seen.

Fails: test_a_wrong_greeting_costs_no_connection

Because: there are other errors, and each of them leaves by a way out that this code has not thought of.
"""

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
            text = "Who are you?" if name is None else greeting.format(name=name)
        except (KeyError, UnicodeEncodeError):
            await connection.close()
            raise
        await connection.close()
        return text

    async def close(self):
        await self.engine.dispose()
