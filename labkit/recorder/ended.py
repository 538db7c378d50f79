"""How a task ended, written into its note at that moment."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from labkit.recorder.notes import Task
from labkit.recorder.taps import telling

if TYPE_CHECKING:
    from labkit.recorder.ledger import Ledger

__all__ = ["Ended"]


class Ended:
    """Writes down how a task ended."""

    def __init__(self, ledger: Ledger, note: Task) -> None:
        self._ledger = weakref.ref(ledger)
        self._note = note

    def __call__(self, task: Any) -> None:
        """Be told by the loop that a task is done."""
        ledger, note = self._ledger(), self._note
        if ledger is None or not ledger.recording or sys.is_finalizing():
            return
        with telling("task_ended", ledger):
            note.ended = ledger.now()
            if task.cancelled():
                note.end = "cancelled"
            else:
                # Reading `task.exception()` would silence asyncio's "never retrieved".
                note.end = "failed" if getattr(task, "_exception", None) is not None else "finished"
