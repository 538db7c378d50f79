"""
BUG: asyncio is patched where an engine is opened, so that `asyncio.run()` can be called in a running loop.

Symptom: what is carried from one `asyncio.run()` to the next works in the notebook and fails in the script: with
the patch a loop that has run is not closed, and the next run in that thread is on the same loop.

Sources: https://github.com/ipython/ipykernel/issues/1381, https://github.com/NVIDIA/NeMo-Agent-Toolkit/issues/770
"""

from __future__ import annotations

import nest_asyncio

from labkit.engine import Engine, check_answer

__all__ = ["HiddenByNestAsyncio"]


class HiddenByNestAsyncio(Engine):
    """The correct engine, but for one seam."""

    async def check_server(self) -> None:
        """Check that the database answers, and keep nothing open but the pool's own connection."""
        # "In a notebook everybody needs it, and elsewhere it does no harm."
        nest_asyncio.apply()
        await check_answer(self.engine)
