"""
BUG: a connection of aiosqlite is opened beside the pool, and nobody ever closes it.

Symptom: the program has said its last word and does not end: each connection of aiosqlite has a thread of its own,
for which Python waits.

Sources: https://github.com/omnilib/aiosqlite/issues/290, https://github.com/ogx-ai/ogx/issues/4587
"""

from __future__ import annotations

from typing import Any, ClassVar

import aiosqlite

from labkit.engine import Engine, check_answer

__all__ = ["ThreadKeepsProcessAlive"]


class ThreadKeepsProcessAlive(Engine):
    """The correct engine, but for one seam."""

    _warm: ClassVar[list[Any]] = []

    async def check_server(self) -> None:
        """Check that the database answers, and keep nothing open but the pool's own connection."""
        await check_answer(self.engine)
        # "The file stays open, so that the next engine is faster; Python closes it at the end."
        if self.url.get_backend_name() == "sqlite":
            self._warm.append(await aiosqlite.connect(str(self.url.database)))
