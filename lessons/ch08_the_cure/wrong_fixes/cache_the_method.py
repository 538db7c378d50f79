"""
Cache the method with `lru_cache`, so that it builds the registry once.

Fails: test_an_engine_that_is_dropped_is_not_kept

Because: the cache belongs to the class, and its keys are the engines. Each engine, with its pool, stays in memory
as long as the program runs. `cached_property` keeps its value in the engine itself.
"""

from functools import lru_cache

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    @lru_cache  # noqa: B019 that is what is wrong here
    def sessions(self):
        return async_scoped_session(self.factory, scopefunc=self.current_scope)
