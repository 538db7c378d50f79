"""
BUG: the session is forgotten after its block, and not closed.

Symptom: a block that fails keeps its connection until the garbage is collected; the log then speaks of a
connection that was not checked in, and after enough of them the pool is empty.

Sources: https://github.com/litestar-org/polyfactory/issues/866,
https://github.com/masumi-network/kodosumi/issues/38
"""

from __future__ import annotations

from labkit.engine import Engine, Task

__all__ = ["NeverClosed"]


class NeverClosed(Engine):
    """The correct engine, but for one seam."""

    async def release(self, task: Task) -> None:
        """Forget the session of `task` and give its connection back; what was not committed is rolled back."""
        # "Nobody knows this session any more, so it is gone, and its connection with it."
        self.session_of(task, forget=True)
