"""
Close every session there is when the engine is closed.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: the lost sessions are found and closed, so the log is quiet. But closing is not committing: what was
written is gone all the same. It also closes the sessions of every other engine in the program.
"""

from sqlalchemy.ext.asyncio import async_scoped_session, close_all_sessions

from labkit import Engine


class ChatEngine(Engine):
    def sessions(self):
        return async_scoped_session(self.factory, scopefunc=self.current_scope)

    async def close(self):
        await close_all_sessions()
        await super().close()
