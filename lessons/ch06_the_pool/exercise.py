"""
A greeter that loses connections.

A guest's comes back to the pool, but there are other ways out of `greet`. Mend it, so that the
pool has everything back on every way out. What `greet` answers must stay as it is: a greeting
for a guest, "Who are you?" for a stranger, and an error where there is one. Let the engine keep its name,
`self.engine`, and a pool that keeps connections for those who come next.
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
        if name is None:
            return "Who are you?"
        text = greeting.format(name=name)
        await connection.close()
        return text

    async def close(self):
        await self.engine.dispose()
