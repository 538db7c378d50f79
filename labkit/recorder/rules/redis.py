"""Redis: leases and pub/sub connections never given back, and clients never closed."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.model import Kind
from labkit.recorder.rules.draft import Draft, about, keys
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import at, on_loop, task_name

__all__ = ["clients", "leases"]


def leases(record: Record) -> Iterator[Draft]:
    """redis-leaked-connection: a connection was taken from a client and not given back."""
    for incident in record.incidents:
        checkout = incident.checkout
        held = incident.kind in {Kind.HELD_AT_END, Kind.HELD_AT_LOOP_END, Kind.HELD_AT_EXIT}
        if held and checkout is not None and checkout.connection.pool.kind == "redis":
            yield Draft(
                "redis-leaked-connection",
                checkout.place,
                f"Redis connection {checkout.connection.number} was taken {at(record, checkout.place)} by "
                f"{task_name(checkout.task)}{on_loop(checkout.task)} and never given back",
                at=incident.at,
                task=checkout.task,
                connection=checkout.connection,
                since=checkout.at,
                touches=about(checkout),
            )


def clients(record: Record) -> Iterator[Draft]:
    """redis-leaked-connection: a client was never closed, and its connections outlived their loop."""
    for incident in record.incidents:
        pool, connection = incident.pool, incident.connection
        idle = incident.kind in {Kind.IDLE_AT_LOOP_END, Kind.IDLE_AT_EXIT}
        if idle and pool is not None and connection is not None and pool.kind == "redis":
            yield Draft(
                "redis-leaked-connection",
                pool.place,
                f"the Redis client made {at(record, pool.place)} was never closed: connection {connection.number} "
                f"was open when its loop ended",
                at=incident.at,
                task=connection.task,
                connection=connection,
                since=connection.opened,
                touches=keys(pool),
                once="" if record.where(pool.place) else f"pool {pool.number}",
            )
