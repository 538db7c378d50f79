"""Tasks, generators and loops: dropped while they held something, or used where they don't belong."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.model import Kind
from labkit.recorder.rules.draft import Draft, about, keys
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import at, on_loop, task_name

__all__ = ["abandoned_generators", "implicit_io", "lost_tasks", "nest_asyncio", "primitives"]


def lost_tasks(record: Record) -> Iterator[Draft]:
    """lost-task: a task that held a connection when its loop ended was not awaited."""
    for incident in record.incidents:
        checkout = incident.checkout
        if incident.kind == Kind.LOST_TASK and checkout is not None:
            waits = record.where(incident.other_place)
            yield Draft(
                "lost-task",
                checkout.place,
                f"{task_name(checkout.task)} held connection {checkout.connection.number}, checked out "
                f"{at(record, checkout.place)}, when its loop ended: nobody had waited for the task"
                + (f", and it was dropped at {waits}" if waits else ""),
                at=incident.at,
                task=checkout.task,
                connection=checkout.connection,
                since=checkout.at,
                touches=about(checkout),
                reach=keys(checkout, checkout.session),
            )


def abandoned_generators(record: Record) -> Iterator[Draft]:
    """abandoned-generator: an async generator was dropped at a yield while it held a session."""
    for incident in record.incidents:
        session = incident.session
        if incident.kind == Kind.ABANDONED_GENERATOR and session is not None:
            checkouts = [checkout for checkout in record.checkouts if checkout.session is session]
            yield Draft(
                "abandoned-generator",
                incident.place,
                f"the async generator `{incident.text}` was left suspended {at(record, incident.place)} while it "
                f"held a {session.kind}: what comes after that yield runs at some later time, or never",
                at=incident.at,
                task=session.task,
                connection=checkouts[0].connection if checkouts else None,
                touches=keys(session),
                reach=keys(session, *checkouts),
            )


def implicit_io(record: Record) -> Iterator[Draft]:
    """implicit-io: reading an attribute needed the database, where nothing could be awaited."""
    for incident in record.incidents:
        if incident.kind == Kind.IMPLICIT_IO:
            yield Draft(
                "implicit-io",
                incident.place,
                f"an attribute read {at(record, incident.place)} was not loaded, and reading it needed the "
                "database outside every await",
                at=incident.at,
                task=incident.task,
            )


def primitives(record: Record) -> Iterator[Draft]:
    """primitive-crossed-loops: a lock, event or queue of one loop was waited for in another."""
    for incident in record.incidents:
        if incident.kind == Kind.PRIMITIVE_CROSSED_LOOPS:
            yield Draft(
                "primitive-crossed-loops",
                incident.place,
                f"{task_name(incident.task)}{on_loop(incident.task)} had to wait for "
                f"an asyncio.{incident.text} {at(record, incident.place)}, which belongs to another loop",
                at=incident.at,
                task=incident.task,
            )


def nest_asyncio(record: Record) -> Iterator[Draft]:
    """nest-asyncio-active: asyncio.run returned and its loop did not close."""
    for incident in record.incidents:
        if incident.kind == Kind.NEST_ASYNCIO:
            yield Draft(
                "nest-asyncio-active",
                incident.place,
                f"asyncio is patched ({at(record, incident.place)}): asyncio.run came back, and its loop did not "
                "close; what should have failed with it does not",
                at=incident.at,
                task=incident.task,
            )
