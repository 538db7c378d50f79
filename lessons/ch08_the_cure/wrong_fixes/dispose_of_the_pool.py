"""
Dispose of the pool before the engine is closed.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: `dispose()` closes what lies idle in the pool. The connection that was lost is not in the pool; that is
what is wrong with it. And the write is in the session that nobody can find.
"""

import asyncio

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine
from labkit.engine.pool import create_pool
from labkit.engine.unit import session_factory


class ChatEngine(Engine):
    def _create_pool(self):
        self.pool = create_pool(self.url, self.settings)
        return self.pool

    def _create_factory(self):
        self.factory = session_factory(self.pool)
        return self.factory

    def _sessions(self):
        return async_scoped_session(self.factory, scopefunc=asyncio.current_task)

    async def close(self):
        await self.pool.dispose()
        await super().close()
