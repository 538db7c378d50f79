"""
The record in the Trace Event Format, for ui.perfetto.dev and chrome://tracing.

A connection is a thread of the trace (`tid` is its number) and an asynchronous slice from its opening to its end;
its checkouts are slices inside that one, named by their tasks. Viewers put slices of one `id` on one track and name
it after the first. Loops and waits are slices of thread 0. What has not ended is shown until the end of the trace,
and says `unfinished` in its arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from labkit.recorder.model import Checkout, Connection, Loop
from labkit.recorder.report.markers import MEANINGS, Sign, signs_of
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import connection_name, ending, loop_name, place_of, task_name, waits_at

__all__ = ["trace"]

Event = dict[str, Any]


def trace(record: Record) -> str:
    """Return the record as a JSON object of trace events, in the order of time."""
    events = [*_loops(record), *_connections(record), *_signs(record), *_waits(record)]
    events.sort(key=lambda event: event["ts"])  # stable: what is written first of one moment stays first
    about = {"program": plain(record.program, 300), "level": plain(record.level, 60), "began": record.began}
    whole = {"displayTimeUnit": "ms", "otherData": about, "traceEvents": [*_names(record), *events]}
    return json.dumps(whole, separators=(",", ":"), allow_nan=False)


def _names(record: Record) -> Iterator[Event]:
    processes = dict.fromkeys([record.pid, *(connection.pid for connection in record.connections)])
    for place, pid in enumerate(processes):
        program = plain(record.program, 200) or "program"
        yield _about("process_name", pid, 0, name=program if pid == record.pid else f"{program}, another process")
        yield _about("process_sort_index", pid, 0, sort_index=place)
        yield _about("thread_name", pid, 0, name="loops and waits")
        yield _about("thread_sort_index", pid, 0, sort_index=0)
    for place, connection in enumerate(record.connections, start=1):
        yield _about("thread_name", connection.pid, connection.number, name=_name(connection))
        yield _about("thread_sort_index", connection.pid, connection.number, sort_index=place)


def _about(what: str, pid: int, tid: int, **values: Any) -> Event:
    return {"ph": "M", "ts": 0, "name": what, "pid": pid, "tid": tid, "args": values}


def _name(connection: Connection) -> str:
    return f"{connection_name(connection)}, {plain(connection.pool.kind, 60)}"


def _slice(
    name: str, category: str, identity: str, pid: int, tid: int, span: tuple[int, int], **values: Any
) -> tuple[Event, Event]:
    """Return the two events of an asynchronous slice; viewers pair them by category and id."""
    both = {"name": name, "cat": category, "id": identity, "pid": pid, "tid": tid}
    arguments = {label: value for label, value in values.items() if value not in ("", None, False)}
    return {"ph": "b", "ts": span[0], **both, "args": arguments}, {"ph": "e", "ts": span[1], **both, "args": {}}


def _loops(record: Record) -> Iterator[Event]:
    for loop in record.loops:
        span = loop.seen, _end(record, loop.closed, loop.seen)
        yield from _slice(
            *_loop_track(record, loop), span, thread=plain(loop.thread, 100), unfinished=loop.closed is None
        )


def _loop_track(record: Record, loop: Loop) -> tuple[str, str, str, int, int]:
    return f"loop #{loop.number}", "loop", f"{record.pid}.loop.{loop.number}", record.pid, 0


def _connections(record: Record) -> Iterator[Event]:
    checkouts: dict[int, list[Checkout]] = {}
    for checkout in record.checkouts:
        checkouts.setdefault(checkout.connection.number, []).append(checkout)
    for connection in record.connections:
        for place, track in enumerate(_tracks(record, checkouts.get(connection.number, []))):
            yield from _track(record, connection, track, place)


def _tracks(record: Record, checkouts: list[Checkout]) -> list[list[Checkout]]:
    """Return checkouts in tracks, so that no two of a track overlap: slices of one id must nest."""
    tracks: list[list[Checkout]] = [[]]
    for checkout in sorted(checkouts, key=lambda each: (each.at, each.number)):
        free = (
            track for track in tracks if not track or _end(record, track[-1].until, track[-1].at) <= checkout.at
        )
        track = next(free, None)
        if track is None:
            tracks.append([checkout])
        else:
            track.append(checkout)
    return tracks


def _track(record: Record, connection: Connection, track: list[Checkout], place: int) -> Iterator[Event]:
    identity = f"{connection.pid}.connection.{connection.number}.{place}"
    where = connection.pid, connection.number
    ends = [_end(record, checkout.until, checkout.at) for checkout in track]
    first = min([connection.opened, *(checkout.at for checkout in track)])
    span = first, max([_end(record, connection.closed, connection.opened), *ends])
    life: dict[str, Any] = {
        "url": plain(connection.pool.url, 200),
        "end": plain(connection.end or "", 60),
        "unfinished": connection.closed is None,
    }
    begins, finishes = _slice(_name(connection), "connection", identity, *where, span, **life)
    yield begins
    for checkout, end in zip(track, ends, strict=True):
        name = task_name(checkout.task)
        yield from _slice(name, "connection", identity, *where, (checkout.at, end), **_checkout(record, checkout))
    yield finishes


def _checkout(record: Record, checkout: Checkout) -> dict[str, Any]:
    return {
        "loop": loop_name(checkout.task.loop),
        "checked out at": place_of(record, checkout.place),
        "ended": ending(record, checkout),
        "waits now at": waits_at(record, checkout.task),
        "test": plain(checkout.task.test, 300) if checkout.task.test else "",
        "unfinished": checkout.until is None,
    }


def _end(record: Record, end: int | None, start: int) -> int:
    return max(start, record.taken if end is None else end)


def _signs(record: Record) -> Iterator[Event]:
    pids = {connection.number: connection.pid for connection in record.connections}
    for number, signs in signs_of(record).items():
        yield from (_instant(sign, pids.get(number, record.pid), number) for sign in signs)


def _instant(sign: Sign, pid: int, tid: int) -> Event:
    name, values = MEANINGS[sign.shape], {"what": sign.detail}
    return {"ph": "i", "ts": sign.at, "name": name, "cat": "sign", "s": "t", "pid": pid, "tid": tid, "args": values}


def _waits(record: Record) -> Iterable[Event]:
    for incident in record.incidents:
        if incident.waited:
            span = max(0, incident.at - incident.waited), incident.at
            identity = f"{record.pid}.wait.{incident.number}"
            name = f"waits for a connection: {task_name(incident.task)}"
            where = place_of(record, incident.place)
            yield from _slice(name, "wait", identity, record.pid, 0, span, at=where, what=str(incident.kind))
