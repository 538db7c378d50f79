"""
BUG: only an error ends the session, a cancellation does not.

Symptom: each block that is cancelled, or runs into a time-out, keeps its connection for ever; some time later
the pool is empty, and the ones who suffer are others.

Sources: https://github.com/sqlalchemy/sqlalchemy/issues/8145,
https://github.com/sqlalchemy/sqlalchemy/issues/12077
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from labkit.engine import Engine
from labkit.engine.completion import run_to_completion
from labkit.engine.seams import Task

__all__ = ["HeldAcrossATimeout"]


class HeldAcrossATimeout(Engine):
    """The correct engine, but for one seam."""

    async def _undo(self, task: Task, session: AsyncSession, error: BaseException) -> None:
        """End the session of a unit of work that did not come to its end, whatever stopped it."""
        # "A task that is cancelled should stop at once, and not begin to tidy up."
        if isinstance(error, Exception):
            await run_to_completion(self._end(task, session))
