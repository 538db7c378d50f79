"""Taking a record: the ledger as it is now, copied once, with every place resolved."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from labkit.recorder.ledger import Ledger
from labkit.recorder.notes import Checkout, Note
from labkit.recorder.record import Record

__all__ = ["take"]


def take(ledger: Ledger, *, ended: bool = False) -> Record:
    """Return what a ledger knows now; what happens afterwards does not change it."""
    held = list(ledger.out.values())
    for checkout in held:
        _note_where_it_waits(ledger, checkout)
    record = Record(
        began=ledger.began,
        taken=ledger.now(),
        pid=ledger.pid,
        program=sys.argv[0] if sys.argv else "",
        level=ledger.level,
        ended=ended,
        counts=replace(ledger.counts, by_kind=dict(ledger.counts.by_kind)),
        faults=list(ledger.faults),
    )
    notes: list[Note] = [*ledger.done, *held, *ledger.marks, *ledger.incidents, *ledger.connections.values()]
    record.add_all(notes)
    record.places = ledger.places.resolve()
    return record


def _note_where_it_waits(ledger: Ledger, checkout: Checkout) -> None:
    task: Any = ledger.task_of(checkout.task)
    if task is not None and not task.done():
        checkout.task.waits = ledger.places.capture_suspended(task.get_coro())
