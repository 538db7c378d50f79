"""
Keep one registry, and let the engine be used from every loop.

Fails: test_another_loop_is_refused

Because: a connection belongs to the loop that opened it. The engine would give another loop a socket on which that
loop waits for ever, or which fails later, where nobody looks. To be refused at once is the kinder way.
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

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.registry = async_scoped_session(self.factory, scopefunc=asyncio.current_task)

    def _sessions(self):
        return self.registry

    def _check_loop(self):
        pass
