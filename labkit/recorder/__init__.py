"""
The flight recorder: who holds a connection, on which loop, for which task.

    with FlightRecorder() as flight:
        asyncio.run(main())
    for finding in flight.findings():
        print(finding.summary)

How the parts hang together:

    flight              FlightRecorder: start, stop, ask
    rules  views        what a record means, and how it looks: pure functions of a record
    record  saved       everything known at one moment; the same as JSON
    probes → books      where the recorder listens, and what each thing heard means
    ledger  notes       where it is written down, bounded, keeping nothing alive
    places  operations  the user's line behind a greenlet; what each session is doing now
"""

from __future__ import annotations

from labkit.recorder.finding import CODES, Code, Finding
from labkit.recorder.flight import EVENTS, FlightRecorder, FlightStatistics
from labkit.recorder.record import Event, Place, Record
from labkit.recorder.rules import find

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
