"""
BUG: nobody looks which event loop an engine is used on.

Symptom: the first `asyncio.run()` works, the second fails with `attached to a different loop` or `Event loop is
closed`, the third works again: the bad connection has left the pool meanwhile.

Sources: https://github.com/yalding8/uhomesjob/issues/204, https://github.com/skypilot-org/skypilot/pull/8725
"""

from __future__ import annotations

from labkit.engine import Engine

__all__ = ["PoolOnDeadLoop"]


class PoolOnDeadLoop(Engine):
    """The correct engine, but for one seam."""

    def check_loop(self) -> None:
        """Refuse any loop but the one that opened this engine."""
        # "A connection is a connection: whoever has the engine can use it."
