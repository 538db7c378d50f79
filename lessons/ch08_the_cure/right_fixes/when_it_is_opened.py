"""Build the registry when the engine is opened, before anybody can ask for it."""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    own_registry = None

    async def open(self):
        if self.own_registry is None:
            self.own_registry = async_scoped_session(self.factory, scopefunc=self.current_scope)
        return await super().open()

    def sessions(self):
        return self.own_registry
