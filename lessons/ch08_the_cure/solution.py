"""
One registry for each engine, built when the engine is built, after its pool and its factory.

The three belong together. The factory makes sessions on this pool; the registry knows which of them it has given to
which task. Each is made once, and lives as long as the engine: so two engines share nothing, and whoever asks one
engine, `save`, the end of a block, or the release in its helper task, asks the same registry.

To delete the method `sessions` is as right: then the registry is asked that labkit's engine has built.
"""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.own_registry = async_scoped_session(self.factory, scopefunc=self.current_scope)

    def sessions(self):
        return self.own_registry
