"""The chat's own engine: labkit's, with three methods that its author has written anew.

Every engine has one pool and one factory. But what a block writes is lost, and a connection
with it. Mend the engine: it must keep every promise, and the flight recorder must find nothing."""

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
        """Return the registry that knows which session belongs to which task."""
        return async_scoped_session(self.factory, scopefunc=asyncio.current_task)
