"""
BUG: only an error ends the session, a cancellation does not.

Symptom: each block that is cancelled, or runs into a time-out, keeps its connection for ever; some time later
the pool is empty, and the ones who suffer are others.

Sources: https://github.com/sqlalchemy/sqlalchemy/issues/8145,
https://github.com/sqlalchemy/sqlalchemy/issues/12077
"""

from __future__ import annotations

from labkit.engine import Engine, Task

__all__ = ["HeldAcrossATimeout"]


class HeldAcrossATimeout(Engine):
    """The correct engine, but for one seam."""

    async def undo(self, task: Task, error: BaseException) -> None:
        """End the session of a block that `error` has stopped, a cancellation too."""
        # "A task that is cancelled should stop at once, and not begin to tidy up."
        if isinstance(error, Exception):
            await self.finish(task, self.release(task))
