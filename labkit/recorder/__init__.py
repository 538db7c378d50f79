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
    owners  accounts    on whose account something was done, where tests or cells share a process
    program  child      a program that is run under the recorder, and what it writes down there
    environment         LABKIT_FLIGHT=1
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.recorder.finding import CODES as CODES
    from labkit.recorder.finding import Code as Code
    from labkit.recorder.finding import Finding as Finding
    from labkit.recorder.flight import EVENTS as EVENTS
    from labkit.recorder.flight import FlightRecorder as FlightRecorder
    from labkit.recorder.flight import FlightStatistics as FlightStatistics
    from labkit.recorder.record import Event as Event
    from labkit.recorder.record import Place as Place
    from labkit.recorder.record import Record as Record
    from labkit.recorder.rules import find as find

# Each name is imported when it is first used: a program under `labkit diagnose` that uses no database need not wait
# for SQLAlchemy.
_HOME = {
    "CODES": "finding",
    "EVENTS": "flight",
    "Code": "finding",
    "Event": "record",
    "Finding": "finding",
    "FlightRecorder": "flight",
    "FlightStatistics": "flight",
    "Place": "record",
    "Record": "record",
    "find": "rules",
}

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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
