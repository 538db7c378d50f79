"""
BUG: a lock is made at import, for all engines of all event loops.

Symptom: now and then an engine can't be opened, `is bound to a different event loop`: only where two tasks open it
at once, and only after the same has happened on another loop.

Sources: https://github.com/topoteretes/cognee/pull/2938, https://github.com/ecmwf/forecast-in-a-box/issues/317
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from labkit.engine import Engine

__all__ = ["LockAtImport"]


class LockAtImport(Engine):
    """The correct engine, but for one seam."""

    _lock: ClassVar[asyncio.Lock] = asyncio.Lock()

    def opening(self) -> asyncio.Lock:
        """Return the lock under which one task opens this engine while others wait."""
        # "Since Python 3.10 a lock needs no loop when it is made, so any place will do."
        return self._lock
