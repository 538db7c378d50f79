"""
Keep one registry, and swallow the integrity error, so that nothing is in the log.

Fails: test_a_duplicate_is_refused_and_the_engine_goes_on

Because: the integrity error was the one message that was right. Whoever saves a duplicate now believes that it was
saved.
"""

import asyncio
from contextlib import suppress

from sqlalchemy.exc import IntegrityError
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

    async def save(self, *objects):
        with suppress(IntegrityError):
            await super().save(*objects)
