"""
BUG: the key of a session is the number of the task that happens to run.

Symptom: a block's session is never released, since a helper task asks for it under a number of its own; and as
Python uses numbers again, a later task gets the session of one that has ended.

Sources: https://github.com/apache/superset/pull/42629, https://github.com/sqlalchemy/sqlalchemy/issues/8340
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from labkit.engine import Engine, Task

__all__ = ["ScopeById"]


class ScopeById(Engine):
    """The correct engine, but for one seam."""

    @staticmethod
    def scope(task: Task) -> Hashable:
        """Return the key under which the registry keeps the session of `task`."""
        # "A number is enough to tell tasks apart, and keeps none of them alive."
        return id(asyncio.current_task())
