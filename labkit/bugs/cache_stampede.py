"""
BUG: every reader who finds nothing in the cache reads the database for itself.

Symptom: a row that everybody wants dies of age in the cache, and the database is asked for it as often as it is
needed, all at once; the pool runs dry for one row.

Sources: https://github.com/TryGhost/Ghost/pull/27507, https://github.com/omegaup/omegaup/issues/8962
"""

from __future__ import annotations

from labkit.engine import Engine, Key, Values

__all__ = ["CacheStampede"]


class CacheStampede(Engine):
    """The correct engine, but for one seam."""

    async def look_up(self, key: Key) -> Values | None:
        """Read one row through the cache; every task that asks for it meanwhile waits for the same answer."""
        # "Nearly every row is in the cache, and the first one to miss it puts it there."
        values = await self.cache.peek(key)
        return values if values is not None else await self.cache.fill(key, self.read)
