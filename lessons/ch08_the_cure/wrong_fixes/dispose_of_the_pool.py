"""
Dispose of the pool before the engine is closed.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: `dispose()` closes what lies idle in the pool. The connection that was lost is not in the pool; that is
what is wrong with it. And the write is in the session that nobody can find.
"""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def sessions(self):
        return async_scoped_session(self.factory, scopefunc=self.current_scope)

    async def close(self):
        await self.engine.dispose()
        await super().close()
