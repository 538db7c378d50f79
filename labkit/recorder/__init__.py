"""
The flight recorder: who holds a connection, on which loop, for which task.

    with FlightRecorder() as flight:
        asyncio.run(main())
    for finding in flight.findings():
        print(finding.summary)

How the parts hang together:

    flight.py               FlightRecorder: start, stop, ask
    hooks/                  where it listens: events of SQLAlchemy, patched functions (patching.py)
    trackers/               what each event means
    ledger.py, model.py     where it is written down, bounded, keeping nothing alive
    stacks.py, activity.py  the user's line behind a greenlet; what each session is doing now
    snapshot.py             everything known at one moment, as a copy; json_format.py: the same as JSON
    rules/                  what is wrong in it, root causes first: pure functions of a record
    report/                 how it looks: terminal, HTML, timeline
    attribution.py          which test or notebook cell works; by_owner.py: whose finding it is
    process/                programs that are started and recorded; environment.py: those that record themselves
"""

from __future__ import annotations

from labkit.recorder.finding import CODES, Code, Finding
from labkit.recorder.flight import EVENTS, FlightRecorder, FlightStatistics
from labkit.recorder.rules import find
from labkit.recorder.snapshot import Event, Place, Record

__all__ = [
    "CODES",
    "EVENTS",
    "Code",
    "Event",
    "Finding",
    "FlightRecorder",
    "FlightStatistics",
    "Place",
    "Record",
    "find",
]
