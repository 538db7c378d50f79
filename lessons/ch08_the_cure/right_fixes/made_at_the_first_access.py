"""Build the registry when it is first wanted, and keep it."""

import asyncio
from functools import cached_property

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

    @cached_property
    def registry(self):
        return async_scoped_session(self.factory, scopefunc=asyncio.current_task)

    def _sessions(self):
        return self.registry
