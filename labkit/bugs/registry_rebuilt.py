"""
BUG: the session registry is set up again at every access.

Symptom: save the same user twice and, beside the integrity error, `RuntimeError: Event loop is closed` comes out of
the pool's log once the loop has closed; a write made inside a `session()` block is lost without a word.

Sources: https://github.com/goofy-z/fastapi-web-template/issues/1, https://github.com/fastapi/fastapi/issues/2023
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

from labkit.engine import Engine

__all__ = ["RegistryRebuilt"]


class RegistryRebuilt(Engine):
    """The correct engine, but for one seam."""

    def sessions(self) -> async_scoped_session[AsyncSession]:
        """Return the registry that knows which session belongs to which task."""
        # "It is always the same factory and the same task, so it will be the same session."
        return async_scoped_session(self.factory, scopefunc=self.current_scope)
