"""
Keep one registry in the module, for every engine.

Fails: test_two_engines_share_nothing

Because: the registry has the factory of the engine that came first, and with it that engine's pool. The second
engine works on connections of the first: of another database, perhaps, or of a loop that has closed.
"""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine

REGISTRIES = []


class ChatEngine(Engine):
    def sessions(self):
        if not REGISTRIES:
            REGISTRIES.append(async_scoped_session(self.factory, scopefunc=self.current_scope))
        return REGISTRIES[0]
