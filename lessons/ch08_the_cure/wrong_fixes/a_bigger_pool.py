"""
Give the engine a bigger pool.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: every access may take one more connection out of it, and none comes back. A bigger pool is empty later, and
the write is lost at once.
"""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine, Settings


class ChatEngine(Engine):
    def __init__(self, settings=None, **urls):
        super().__init__((settings or Settings()).model_copy(update={"pool_size": 50}), **urls)

    def sessions(self):
        return async_scoped_session(self.factory, scopefunc=self.current_scope)
