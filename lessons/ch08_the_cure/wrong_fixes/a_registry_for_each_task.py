"""
Keep a registry for each task.

Fails: test_a_block_that_fails_gives_everything_back

Because: the end of a block runs in a helper task, so that a cancellation can't stop it half-way. The helper gets a
registry of its own, finds nothing in it, and the session keeps its connection.
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
        registries = self.__dict__.setdefault("registries", {})
        task = asyncio.current_task()
        if task not in registries:
            registries[task] = async_scoped_session(self.factory, scopefunc=asyncio.current_task)
        return registries[task]
