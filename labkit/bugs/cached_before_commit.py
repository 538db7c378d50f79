"""
BUG: the cache forgets the changed rows before the commit, and not after it.

Symptom: a row was changed and committed, and readers go on getting the old one until it dies of age: somebody who
read it while the commit took its time has put it back.

Sources: https://github.com/eclipse-openvsx/openvsx/pull/2220, https://github.com/zendesk/kasket/pull/27
"""

from __future__ import annotations

from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from labkit.engine import Engine
from labkit.engine.seams import Task
from labkit.engine.unit import UnitOfWork

__all__ = ["CachedBeforeCommit"]


class CachedBeforeCommit(Engine):
    """The correct engine, but for one seam."""

    async def _complete(self, task: Task, session: AsyncSession) -> None:
        """Commit what is left, whatever comes of it end the session."""
        # "What is forgotten before it changes can't be read once it has."
        stale = cast(UnitOfWork, session.sync_session).stale
        await self._cache.forget(stale)
        stale.clear()
        try:
            await session.commit()
        finally:
            await self._end(task, session)
