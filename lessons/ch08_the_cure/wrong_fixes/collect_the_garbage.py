"""
Collect the garbage when the engine is closed.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: the collector takes the lost connections while the loop still runs, and so without that error. It can take
back a connection. It can't bring back a write.
"""

import gc

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def sessions(self):
        return async_scoped_session(self.factory, scopefunc=self.current_scope)

    async def close(self):
        gc.collect()
        await super().close()
