"""
What is lent has to be given back on every way out, also on those that nobody thinks of.

There are four ways out of `greet`: the greeting, the early return, and an error in either of two lines. Nobody
remembers a `close` on each of them. `async with` ties the end of the loan to the end of the block, and a block ends
on every way out.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=2, max_overflow=0, pool_timeout=0.3)

    async def greet(self, email, greeting):
        async with self.engine.connect() as connection:
            name = await connection.scalar(select(User.name).where(User.email == email))
            if name is None:
                return "Who are you?"
            return greeting.format(name=name)

    async def close(self):
        await self.engine.dispose()
