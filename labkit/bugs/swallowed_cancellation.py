"""
BUG: a read that is cancelled is taken for one that found nothing.

Symptom: a task that was cancelled goes on with an empty list; a time limit around the read passes unnoticed, and a
shutdown waits for a task that was told to stop.

Sources: https://github.com/python/cpython/issues/111379, https://github.com/langflow-ai/langflow/pull/6625
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncSession

from labkit.engine import Engine

__all__ = ["SwallowedCancellation"]


class SwallowedCancellation(Engine):
    """The correct engine, but for one seam."""

    async def fetch(self, statement: Executable) -> list[Any]:
        """Return the objects that a statement selects, outside of every block; raise a cancellation on."""
        try:
            async with AsyncSession(self.reader) as session:
                return list((await session.execute(statement)).scalars())
        except asyncio.CancelledError:
            # "Who cancels a read doesn't want its rows any more, so it gets none."
            return []
