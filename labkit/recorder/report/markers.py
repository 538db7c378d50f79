"""The signs on a timeline: moments in a connection's life that have no length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labkit.recorder.model import Connection, Kind
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import moment, place_of, task_name

__all__ = ["MEANINGS", "Sign", "signs_of"]

# What each sign means, in the order of the legend.
MEANINGS = {
    "opened": "opened",
    "closed": "closed",
    "invalidated": "invalidated or killed",
    "disposed": "pool disposed",
    "cancelled": "task cancelled",
    "collected": "garbage collected",
    "fault": "something went wrong",
    "other": "something else",
}
_STEMS = {
    "open": "opened",
    "connect": "opened",
    "invalid": "invalidated",
    "kill": "invalidated",
    "terminat": "invalidated",
    "dispos": "disposed",
    "cancel": "cancelled",
    "collect": "collected",
    "drop": "collected",
    "clos": "closed",
}
_ORDER = {shape: place for place, shape in enumerate(MEANINGS)}
SAME = 1_000  # microseconds between two notes of one moment
# Kinds of incident that another sign shows already.
_SHOWN = {Kind.COLLECTED, Kind.CANCELLED, Kind.DROPPED, Kind.TIMED_OUT, Kind.NESTED}


@dataclass(frozen=True, slots=True)
class Sign:
    """One moment. `shape` is a key of `MEANINGS`."""

    at: int
    shape: str
    detail: str
    count: int = 1


def signs_of(record: Record) -> dict[int, list[Sign]]:
    """Return the signs of each connection, by its number, in the order of time and each of them once."""
    signs: dict[int, list[Sign]] = {}
    last: dict[tuple[int, str], int] = {}
    for number, sign in sorted(_all(record), key=lambda pair: (pair[1].at, _ORDER[pair[1].shape])):
        if sign.at - last.get((number, sign.shape), -SAME - 1) > SAME:
            signs.setdefault(number, []).append(sign)
        last[number, sign.shape] = sign.at
    return signs


def _all(record: Record) -> Iterator[tuple[int, Sign]]:
    for connection in record.connections:
        yield from _life(connection)
    for checkout in record.checkouts:
        number, end = checkout.connection.number, checkout.end or ""
        if checkout.interrupted is not None:
            yield number, _sign(checkout.interrupted, "cancelled", f"{task_name(checkout.task)} was cancelled")
        if checkout.until is not None and end in ("collected", "invalidated", "closed"):
            yield number, _sign(checkout.until, end, f"{end} while {task_name(checkout.task)} held it")
    yield from _incidents(record)
    yield from _marks(record)


def _life(connection: Connection) -> Iterator[tuple[int, Sign]]:
    number, disposed = connection.number, connection.pool.disposed
    yield number, _sign(connection.opened, "opened", f"opened by {task_name(connection.task)}")
    if connection.closed is not None:
        end = connection.end or "closed"
        yield number, _sign(connection.closed, _shape(end), end)
    if disposed is not None and connection.opened <= disposed <= (connection.closed or disposed):
        yield number, _sign(disposed, "disposed", "the pool was disposed")


def _incidents(record: Record) -> Iterator[tuple[int, Sign]]:
    for incident in record.incidents:
        connection = incident.connection or (incident.checkout.connection if incident.checkout else None)
        if connection is not None and incident.kind not in _SHOWN:
            where = place_of(record, incident.place)
            yield (
                connection.number,
                _sign(incident.at, "fault", f"{incident.kind}{f' at {where}' if where else ''}"),
            )


def _marks(record: Record) -> Iterator[tuple[int, Sign]]:
    for mark in record.marks:
        if mark.took or (mark.what == "detached" and mark.connection and mark.connection.end == "collected"):
            continue  # the one has a length, the other is a part of what the garbage collector does
        if mark.connection is not None:
            yield mark.connection.number, _sign(mark.at, _shape(mark.what), plain(mark.what, 60))
        elif mark.pool is not None:
            for connection in record.connections:
                if connection.pool is mark.pool and connection.opened <= mark.at <= (connection.closed or mark.at):
                    yield connection.number, _sign(mark.at, _shape(mark.what), plain(mark.what, 60))


def _shape(what: str) -> str:
    return next((shape for stem, shape in _STEMS.items() if stem in what), "other")


def _sign(at: int, shape: str, detail: str) -> Sign:
    return Sign(at, shape, f"{plain(detail, 200)}, at {moment(at)}")
