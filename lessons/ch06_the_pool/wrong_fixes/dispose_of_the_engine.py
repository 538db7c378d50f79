"""
Dispose of the engine on every way out.

Fails: test_the_server_lists_no_connection_afterwards

Because: `dispose` closes what is in the pool, and what was lost is not in it. Then it begins a new pool, which
knows nothing of them and says 0. The server still lists them.
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
            return "Who are you?" if name is None else greeting.format(name=name)
        finally:
            await self.engine.dispose()

    async def close(self):
        await self.engine.dispose()
