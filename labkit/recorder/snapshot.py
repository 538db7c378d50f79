"""
A record: what a recorder knew at one moment, complete in itself, every place resolved to file, line and function.

Rules and views read records and nothing else, so a record that another process wrote, or that was written last week
(`labkit.recorder.json_format`), is as good as a live one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.recorder.model import (
    Checkout,
    Connection,
    Counts,
    Entry,
    Factory,
    Incident,
    Loop,
    Mark,
    Pool,
    Session,
    Task,
)

if TYPE_CHECKING:
    from labkit.recorder.ledger import Ledger

__all__ = ["TABLES", "Event", "Place", "Record", "take"]

TABLES: dict[str, type[Entry]] = {
    "loops": Loop,
    "tasks": Task,
    "factories": Factory,
    "pools": Pool,
    "connections": Connection,
    "sessions": Session,
    "checkouts": Checkout,
    "incidents": Incident,
    "marks": Mark,
}
_TABLE = {entry: name for name, entry in TABLES.items()}
_FIELDS = {entry: [item.name for item in fields(entry)] for entry in _TABLE}


class Place(NamedTuple):
    """A line of source, as the interpreter saw it."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        name = PurePath(self.file).name if self.file else "?"
        return f"{name}:{self.line} in {self.function}"


class Event(NamedTuple):
    """One entry of a record's history, in plain words."""

    at: int  # microseconds since the recorder began
    what: str
    connection: int | None
    task: str
    loop: int | None
    place: str


@dataclass(slots=True)
class Record:
    """Everything known, as lists in the order of the entries' numbers."""

    began: float = 0.0  # seconds since 1970
    taken: int = 0  # microseconds after `began`
    pid: int = 0
    program: str = ""
    level: str = "pool"
    ended: bool = False  # the process had ended its work: what is still held is never returned
    counts: Counts = field(default_factory=Counts)
    places: list[list[Place]] = field(default_factory=lambda: [[]])
    faults: list[str] = field(
        default_factory=list
    )  # hooks of the recorder that failed, and were kept from the user
    loops: list[Loop] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    factories: list[Factory] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def stack(self, place: int) -> list[Place]:
        """Return the user's lines at a place, the innermost first."""
        return self.places[place]

    def where(self, place: int) -> Place | None:
        """Return the user's innermost line at a place; None when no line of the user's was on the stack."""
        stack = self.places[place]
        return stack[0] if stack else None

    def holders(self) -> list[Checkout]:
        """Return the checkouts that have not ended, the oldest first."""
        return [checkout for checkout in self.checkouts if checkout.until is None]

    def events(self) -> list[Event]:
        """Return the whole history, in the order of time."""
        entries = [*self._checkout_events(), *self._mark_events()]
        return sorted(entries, key=lambda event: event.at)

    def _checkout_events(self) -> Iterator[Event]:
        for checkout in self.checkouts:
            number, task = checkout.connection.number, checkout.task
            loop = task.loop.number if task.loop else None
            where = self.where(checkout.place)
            yield Event(checkout.at, "checkout", number, task.name, loop, str(where) if where else "")
            if checkout.until is not None:
                by = checkout.by or task
                what = "checkin" if checkout.end == "returned" else f"checkout {checkout.end}"
                yield Event(checkout.until, what, number, by.name, by.loop.number if by.loop else None, "")

    def _mark_events(self) -> Iterator[Event]:
        for mark in self.marks:
            loop = mark.loop or (mark.task.loop if mark.task else None)
            where = self.where(mark.place)
            yield Event(
                mark.at,
                mark.what,
                mark.connection.number if mark.connection else None,
                mark.task.name if mark.task else "",
                loop.number if loop else None,
                str(where) if where else "",
            )

    def add_all(self, entries: list[Entry]) -> None:
        """
        Add copies of entries and of all that they mention, once each, and put every list in order.

        Copies, because a finaliser may write in the originals at any moment.
        """
        copies: dict[int, Entry] = {}
        for entry in entries:
            _copy(entry, copies)
        for copy in copies.values():
            getattr(self, _TABLE[type(copy)]).append(copy)
        for name in TABLES:
            getattr(self, name).sort(key=_number)


def _copy(entry: Entry, copies: dict[int, Entry]) -> Entry:
    copy = copies.get(id(entry))
    if copy is None:
        kind = type(entry)
        copy = copies[id(entry)] = kind.__new__(kind)
        for name in _FIELDS[kind]:
            value = getattr(entry, name)
            if isinstance(value, Entry):
                value = _copy(value, copies)
            elif type(value) is tuple:
                value = tuple(_copy(each, copies) for each in value)
            setattr(copy, name, value)
    return copy


def _number(entry: Entry) -> int:
    return entry.number


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
    entries: list[Entry] = [*ledger.done, *held, *ledger.marks, *ledger.incidents, *ledger.connections.values()]
    record.add_all(entries)
    record.places = ledger.places.resolve()
    return record


def _note_where_it_waits(ledger: Ledger, checkout: Checkout) -> None:
    task: Any = ledger.task_of(checkout.task)
    if task is not None and not task.done():
        checkout.task.waits = ledger.places.capture_suspended(task.get_coro())
