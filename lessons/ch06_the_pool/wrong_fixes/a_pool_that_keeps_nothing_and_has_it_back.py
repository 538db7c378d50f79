"""
Give everything back, and take `NullPool` as well.

Fails: test_one_connection_is_kept_for_the_next

Because: nothing is lost any more, and that is the work of `async with`, with any pool. `NullPool` only makes every
greeting pay for a login of its own. Leave the pool as it was. (Lesson 10 has a program for which it is right.)
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, poolclass=NullPool)

    async def greet(self, email, greeting):
        async with self.engine.connect() as connection:
            name = await connection.scalar(select(User.name).where(User.email == email))
            if name is None:
                return "Who are you?"
            return greeting.format(name=name)

    async def close(self):
        await self.engine.dispose()
