"""The chat's own engine: labkit's, with one method that its author has written anew.

Every engine has one pool and one factory. But what a block writes is lost, and a connection
with it. Mend the engine: it must keep every promise, and the flight recorder must find nothing."""

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def sessions(self):
        """Return the registry that knows which session belongs to which task."""
        return async_scoped_session(self.factory, scopefunc=self.current_scope)
