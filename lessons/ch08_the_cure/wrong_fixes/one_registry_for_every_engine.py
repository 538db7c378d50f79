"""
Keep one registry in the module, for every engine.

Fails: test_two_engines_share_nothing

Because: the registry has the factory of the engine that came first, and with it that engine's pool. The second
engine works on connections of the first: of another database, perhaps, or of a loop that has closed.
"""

import asyncio

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine
from labkit.engine.pool import create_pool
from labkit.engine.unit import session_factory

REGISTRIES = []


class ChatEngine(Engine):
    def _create_pool(self):
        self.pool = create_pool(self.url, self.settings)
        return self.pool

    def _create_factory(self):
        self.factory = session_factory(self.pool)
        return self.factory

    def _sessions(self):
        if not REGISTRIES:
            REGISTRIES.append(async_scoped_session(self.factory, scopefunc=asyncio.current_task))
        return REGISTRIES[0]
