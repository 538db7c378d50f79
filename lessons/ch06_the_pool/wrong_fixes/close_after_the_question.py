"""
Close it as soon as the name is there.

Fails: test_a_question_that_fails_costs_no_connection

Because: the question itself can fail, and then the line that closes is never reached. It is short, and right on all
ways but one.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


class Greeter:
    def __init__(self, database_url):
        self.engine = create_async_engine(database_url, pool_size=2, max_overflow=0, pool_timeout=0.3)

    async def greet(self, email, greeting):
        connection = await self.engine.connect()
        name = await connection.scalar(select(User.name).where(User.email == email))
        await connection.close()
        return "Who are you?" if name is None else greeting.format(name=name)

    async def close(self):
        await self.engine.dispose()
