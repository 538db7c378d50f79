"""
BUG: the cache forgets the changed rows before the commit, and not after it.

Symptom: a row was changed and committed, and readers go on getting the old one until it dies of age: somebody who
read it while the commit took its time has put it back.

Sources: https://github.com/eclipse-openvsx/openvsx/pull/2220, https://github.com/zendesk/kasket/pull/27
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from labkit.engine import Engine, Key

__all__ = ["CachedBeforeCommit"]


class CachedBeforeCommit(Engine):
    """The correct engine, but for one seam."""

    @asynccontextmanager
    async def changing(self, keys: Collection[Key]) -> AsyncIterator[None]:
        """Keep every reader from caching the rows at `keys` while a commit changes them."""
        # "What is forgotten before it changes can't be read once it has."
        await self.cache.forget(keys)
        yield
