"""
BUG: the key of a session is the task that happens to run, whichever task is meant.

Symptom: the session of a block stays in the registry with its connection, since the release runs in another task:
in a notebook, where every cell is a task, `remove()` in the next cell removes nothing.

Sources: https://github.com/laminlabs/lamindb/pull/3163, https://github.com/discord/access/pull/510
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from labkit.engine import Engine, Task

__all__ = ["ScopePerCell"]


class ScopePerCell(Engine):
    """The correct engine, but for one seam."""

    @staticmethod
    def scope(task: Task) -> Hashable:
        """Return the key under which the registry keeps the session of `task`."""
        # "Whoever asks means itself: the documentation's own scope is current_task."
        return asyncio.current_task()
