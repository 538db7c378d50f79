"""
Close every session there is when the engine is closed.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: the lost sessions are found and closed, so the log is quiet. But closing is not committing: what was
written is gone all the same. It also closes the sessions of every other engine in the program.
"""

import asyncio

from sqlalchemy.ext.asyncio import async_scoped_session, close_all_sessions

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
        await close_all_sessions()
        await super().close()
