"""
Keep one registry, and let the engine be used from every loop.

Fails: test_another_loop_is_refused

Because: a connection belongs to the loop that opened it. The engine would give another loop a socket on which that
loop waits for ever, or which fails later, where nobody looks. To be refused at once is the kinder way.
"""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.own_registry = async_scoped_session(self.factory, scopefunc=self.current_scope)

    def sessions(self):
        return self.own_registry

    def check_loop(self):
        pass
