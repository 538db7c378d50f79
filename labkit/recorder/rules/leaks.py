"""Connections that were checked out and never returned, and those that a cancellation left behind."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.model import Checkout, Incident, Kind
from labkit.recorder.rules.draft import Draft, about, keys
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import at, duration, on_loop, task_name

__all__ = ["cancelled_statements", "leaks"]

_LEAKS = {Kind.COLLECTED, Kind.HELD_AT_END, Kind.HELD_AT_LOOP_END, Kind.HELD_AT_EXIT}


def leaks(record: Record) -> Iterator[Draft]:
    """leaked-connection and cancelled-while-holding: one for each checkout that never came back."""
    for incident in _first_of_each_checkout(record):
        checkout = incident.checkout
        assert checkout is not None
        if checkout.connection.pool.kind == "redis":
            continue
        interrupted = _was_interrupted(checkout)
        yield Draft(
            "cancelled-while-holding" if interrupted else "leaked-connection",
            checkout.place,
            _sentence(record, incident, checkout, interrupted),
            at=incident.at,
            task=checkout.task,
            connection=checkout.connection,
            since=checkout.at,
            evidence=_evidence(record, checkout),
            touches=about(checkout),
            reach=keys(checkout, checkout.session) if interrupted else keys(checkout),
        )


def _first_of_each_checkout(record: Record) -> Iterator[Incident]:
    seen = set()
    for incident in record.incidents:
        if incident.kind in _LEAKS and incident.checkout and incident.checkout.number not in seen:
            seen.add(incident.checkout.number)
            yield incident


def _was_interrupted(checkout: Checkout) -> bool:
    if checkout.interrupted is not None:
        return True
    task = checkout.task
    still_out = checkout.until is None or (task.ended is not None and checkout.until >= task.ended)
    return task.end == "cancelled" and still_out


def _sentence(record: Record, incident: Incident, checkout: Checkout, interrupted: bool) -> str:
    words = (
        f"connection {checkout.connection.number} was checked out {at(record, checkout.place)} by "
        f"{task_name(checkout.task)}{on_loop(checkout.task)}"
    )
    words += ", was cancelled or timed out, and never returned it" if interrupted else " and never returned"
    ended = "the program" if record.ended else incident.text
    return words + "".join(f"; {each}" for each in _what_followed(checkout, ended))


def _what_followed(checkout: Checkout, ended: str) -> Iterator[str]:
    loop = checkout.task.loop
    if loop is not None and loop.closed is not None and (checkout.until is None or checkout.until >= loop.closed):
        yield f"loop #{loop.number} closed {duration(loop.closed - checkout.at)} later"
    if checkout.end == "collected":
        yield "the garbage collector took it back"
    elif checkout.end == "returned":
        yield f"it did come back, {duration((checkout.until or 0) - checkout.at)} after its checkout"
    elif checkout.until is None and ended:
        yield f"it was still out when {ended} ended"


def _evidence(record: Record, checkout: Checkout) -> list[str]:
    lines = [f"called from {place}" for place in record.stack(checkout.place)[1:3]]
    waits = record.where(checkout.task.waits) if checkout.until is None else None
    if waits:
        lines.append(f"its task waits now at {waits}")
    return lines


def cancelled_statements(record: Record) -> Iterator[Draft]:
    """cancelled-while-holding: a statement was cancelled, and the session that it ran in was not closed."""
    for incident in record.incidents:
        checkout, session = incident.checkout, incident.session
        if incident.kind != Kind.CANCELLED or checkout is None:
            continue
        if session is not None and session.ended is not None and session.ended >= incident.at:
            continue  # its `async with` or `close()` ended it: nothing is left behind
        yield Draft(
            "cancelled-while-holding",
            checkout.place,
            f"connection {checkout.connection.number}, checked out {at(record, checkout.place)} by "
            f"{task_name(checkout.task)}, was lost: its statement was cancelled, and nothing closed the session "
            "after it",
            at=incident.at,
            task=checkout.task,
            connection=checkout.connection,
            since=checkout.at,
            touches=about(checkout) | keys(session),
            reach=keys(checkout, session),
        )
