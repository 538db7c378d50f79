"""
BUG: the objects of a session expire at its commit.

Symptom: to read a name that was there a line before raises `MissingGreenlet` inside a block, and
`DetachedInstanceError` after it.

Sources: https://github.com/fastapi-users/fastapi-users/issues/1395, https://github.com/google/adk-python/issues/5761
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from labkit.engine import Engine

__all__ = ["ExpiredAttributes"]


class ExpiredAttributes(Engine):
    """The correct engine, but for one seam."""

    def create_factory(self) -> async_sessionmaker[AsyncSession]:
        """Return the factory of sessions, whose objects can be read after the commit without the database."""
        # "After a commit the row may have changed: it is only right to read it again."
        return async_sessionmaker(self.engine, expire_on_commit=True, **self.session_options())
