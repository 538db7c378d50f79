"""
One registry for each engine, built when the engine is built, after its pool and its factory.

The three belong together. The factory makes sessions on this pool; the registry knows which of them it has given to
which task. Each is made once, and lives as long as the engine: so two engines share nothing, and whoever asks one
engine, `save`, the end of a block, or the release in its helper task, asks the same registry.

To delete the method `_sessions` is as right: then the registry is asked that labkit's engine has built.
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
