"""
Collect the garbage on every way out.

Fails: test_nothing_is_left_to_the_garbage_collector

Because: the collector does not give a connection back, it tears it down. The pool has to open another one, and the
log complains.
"""

import gc

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
            connection = None
            gc.collect()

    async def close(self):
        await self.engine.dispose()
