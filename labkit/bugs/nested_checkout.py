"""
BUG: a step inside a unit of work takes a session, and a connection, of its own.

Symptom: with as many blocks as the pool has connections every one of them waits for another, or for itself; and
what a step wrote stays when the block around it fails.

Sources: https://github.com/aio-libs/aiopg/issues/113, https://github.com/aio-libs/aiopg/issues/127
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy.ext.asyncio import AsyncSession

from labkit.engine import Engine

__all__ = ["NestedCheckout"]


class NestedCheckout(Engine):
    """The correct engine, but for one seam."""

    @asynccontextmanager
    async def step(self) -> AsyncIterator[AsyncSession]:
        """Give the session of this task for one step, which is undone by itself when it fails."""
        # "A session of its own is undone by itself as well, and can't disturb the one around it."
        nested = self.in_block()
        block = self.factory.begin() if nested else self.session()
        async with block as session, session.begin_nested() if nested else nullcontext():
            yield session
