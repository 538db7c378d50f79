"""Keep a registry for each engine in one place, and forget it with its engine."""

import asyncio
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine
from labkit.engine.pool import create_pool
from labkit.engine.unit import session_factory

REGISTRIES = WeakKeyDictionary()


class ChatEngine(Engine):
    def _create_pool(self):
        self.pool = create_pool(self.url, self.settings)
        return self.pool

    def _create_factory(self):
        self.factory = session_factory(self.pool)
        return self.factory

    def _sessions(self):
        if self not in REGISTRIES:
            REGISTRIES[self] = async_scoped_session(self.factory, scopefunc=asyncio.current_task)
        return REGISTRIES[self]
