"""Build the registry when it is first wanted, and keep it."""

from functools import cached_property

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    @cached_property
    def own_registry(self):
        return async_scoped_session(self.factory, scopefunc=self.current_scope)

    def sessions(self):
        return self.own_registry
