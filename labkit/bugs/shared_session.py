"""
BUG: every task finds the session under the same key.

Symptom: what one task writes is committed when another task's block ends, and now and then a session says that it
is provisioning a new connection, or that it can't be closed here.

Sources: https://github.com/sqlalchemy/sqlalchemy/issues/10092, https://github.com/dstackai/dstack/issues/2638
"""

from __future__ import annotations

from collections.abc import Hashable

from labkit.engine import Engine, Task

__all__ = ["SharedSession"]


class SharedSession(Engine):
    """The correct engine, but for one seam."""

    @staticmethod
    def scope(task: Task) -> Hashable:
        """Return the key under which the registry keeps the session of `task`."""
        # "One program, one database, one session: it is the tasks that take turns."
        return "the session"
