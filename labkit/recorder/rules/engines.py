"""Engines and clients: not disposed of, or carried into another loop or another process; connections gone stale."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.model import Connection, Kind, Pool
from labkit.recorder.rules.draft import Draft, keys
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import at, loop_name, on_loop, task_name

__all__ = ["forked", "loops_crossed", "not_disposed", "stale"]

_IDLE = {Kind.IDLE_AT_LOOP_END, Kind.IDLE_AT_EXIT, Kind.DROPPED}


def not_disposed(record: Record) -> Iterator[Draft]:
    """engine-not-disposed: idle connections were left when their loop, the program or the engine ended."""
    for incident in record.incidents:
        pool, connection = incident.pool, incident.connection
        if incident.kind not in _IDLE or pool is None or connection is None or pool.kind == "redis":
            continue
        loop = connection.task.loop
        when = {
            Kind.IDLE_AT_LOOP_END: f"when loop #{loop.number if loop else '?'} closed",
            Kind.IDLE_AT_EXIT: "when the program ended",
            Kind.DROPPED: "when the engine was dropped",
        }[incident.kind]
        neglect = _neglect(record, incident.at, pool, connection)
        yield Draft(
            "engine-not-disposed",
            pool.place,
            f"the engine made {at(record, pool.place)} {neglect} {when}; nobody closed it",
            at=incident.at,
            task=connection.task,
            connection=connection,
            since=connection.opened,
            touches=keys(pool),
            once="" if record.where(pool.place) else f"pool {pool.number}",
        )


def _neglect(record: Record, end: int, pool: Pool, connection: Connection) -> str:
    disposed = pool.disposed
    if disposed is None or not connection.opened < disposed <= end:
        return f"was not disposed of: connection {connection.number} lay idle in its pool"
    if any(
        each.connection is connection and each.at < disposed <= (end if each.until is None else each.until)
        for each in record.checkouts
    ):
        return (
            f"was disposed of while connection {connection.number} was out: it came back to a pool that is no "
            "longer the engine's, and lay idle there"
        )
    return f"was disposed of, and connection {connection.number} was not closed with it: it lay idle"


def loops_crossed(record: Record) -> Iterator[Draft]:
    """pool-crossed-loops and redis-crossed-loops: a connection of one loop was used on another."""
    for incident in record.incidents:
        pool, connection = incident.pool, incident.connection
        if incident.kind == Kind.CROSSED_LOOPS and pool is not None and connection is not None:
            redis = pool.kind == "redis"
            yield Draft(
                "redis-crossed-loops" if redis else "pool-crossed-loops",
                incident.place,
                f"connection {connection.number} was opened {at(record, connection.place)} on "
                f"{loop_name(connection.task.loop)} and used {at(record, incident.place)} by "
                f"{task_name(incident.task)}{on_loop(incident.task)}",
                at=incident.at,
                task=incident.task,
                connection=connection,
                touches=keys(pool),
                reach=keys(pool),
                begins=incident.checkout.at if incident.checkout else incident.at,
                once=f"pool {pool.number}",
            )


def forked(record: Record) -> Iterator[Draft]:
    """pool-crossed-fork: a connection of the parent process was used in a child."""
    for incident in record.incidents:
        pool, connection = incident.pool, incident.connection
        if incident.kind == Kind.CROSSED_FORK and pool is not None and connection is not None:
            yield Draft(
                "pool-crossed-fork",
                incident.place,
                f"connection {connection.number} was opened in process {connection.pid} and used "
                f"{at(record, incident.place)} in its forked child {record.pid}: both now speak on one socket",
                at=incident.at,
                task=incident.task,
                connection=connection,
                touches=keys(pool),
                reach=keys(pool),
                once=f"pool {pool.number}",
            )


def stale(record: Record) -> Iterator[Draft]:
    """stale-connection: the server had closed an idle connection, and its first use failed."""
    for incident in record.incidents:
        checkout, connection = incident.checkout, incident.connection
        if incident.kind == Kind.STALE and checkout is not None and connection is not None:
            yield Draft(
                "stale-connection",
                incident.place,
                f"connection {connection.number} was closed by the server while it lay idle; its first use, "
                f"{at(record, incident.place)} by {task_name(incident.task)}, failed with {incident.text}",
                at=incident.at,
                task=incident.task,
                connection=connection,
                since=connection.opened,
                touches=keys(checkout, connection.pool),
                reach=keys(checkout),
            )
