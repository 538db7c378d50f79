"""
Collect the garbage when the engine is closed.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: the collector takes the lost connections while the loop still runs, and so without that error. It can take
back a connection. It can't bring back a write.
"""

import asyncio
import gc

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
        gc.collect()
        await super().close()
