"""
Give the engine a bigger pool.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: every access may take one more connection out of it, and none comes back. A bigger pool is empty later, and
the write is lost at once.
"""

import asyncio

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine
from labkit.engine.pool import create_pool
from labkit.engine.unit import session_factory


class ChatEngine(Engine):
    def _create_pool(self):
        self.pool = create_pool(self.url, self.settings.model_copy(update={"pool_size": 50}))
        return self.pool

    def _create_factory(self):
        self.factory = session_factory(self.pool)
        return self.factory

    def _sessions(self):
        return async_scoped_session(self.factory, scopefunc=asyncio.current_task)
