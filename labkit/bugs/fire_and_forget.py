"""
BUG: messages are sent by a task that nobody keeps and nobody waits for.

Symptom: a block has ended and its message is not out yet; where the program ends soon after it, it never is.

Sources: https://github.com/python/cpython/issues/88831, https://github.com/python/cpython/issues/117379
"""

from __future__ import annotations

import asyncio

from labkit.engine import Engine, Outgoing

__all__ = ["FireAndForget"]


class FireAndForget(Engine):
    """The correct engine, but for one seam."""

    async def announce(self, messages: list[Outgoing]) -> None:
        """Send messages, and return when they are out."""
        # "The row is saved, that is what matters; nobody should wait for Redis."
        asyncio.create_task(self.bus.send(messages))  # noqa: RUF006
