"""
BUG: every reader who finds nothing in the cache reads the database for itself.

Symptom: a row that everybody wants dies of age in the cache, and the database is asked for it as often as it is
wanted, all at once; the pool runs dry for one row.

Sources: https://github.com/TryGhost/Ghost/pull/27507, https://github.com/omegaup/omegaup/issues/8962
"""

from __future__ import annotations

from labkit.engine import Engine
from labkit.engine.cache import Values
from labkit.engine.keys import Key

__all__ = ["CacheStampede"]


class CacheStampede(Engine):
    """The correct engine, but for one seam."""

    async def _look_up(self, key: Key) -> Values | None:
        """Read one row through the cache; whoever asks for it meanwhile waits for the same answer."""
        # "Nearly every row is in the cache, and the first one to miss it puts it there."
        values = await self._cache.peek(key)
        return values if values is not None else await self._cache.fill(key, self._read)
