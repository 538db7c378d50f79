"""Build the registry where the factory is built."""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def create_factory(self):
        factory = super().create_factory()
        self.own_registry = async_scoped_session(factory, scopefunc=self.current_scope)
        return factory

    def sessions(self):
        return self.own_registry
