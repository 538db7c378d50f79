"""A pool that has nothing left to give: who waited, how long, and who held."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.model import Incident, Kind
from labkit.recorder.rules.draft import Draft, keys
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import at, duration, holder, task_name

__all__ = ["exhausted", "nested"]


def exhausted(record: Record) -> Iterator[Draft]:
    """pool-exhausted: a task waited for a connection until the pool gave up."""
    for incident in record.incidents:
        if incident.kind == Kind.TIMED_OUT:
            yield Draft(
                "pool-exhausted",
                incident.place,
                f"{task_name(incident.task)} waited {duration(incident.waited)} for a connection "
                f"{at(record, incident.place)}, and got none: {len(incident.holders)} were out",
                at=incident.at,
                task=incident.task,
                evidence=_holders(record, incident),
                touches=keys(incident.pool, *incident.holders) | _asking(incident),
            )


def nested(record: Record) -> Iterator[Draft]:
    """nested-checkout: a task asked a full pool for a second connection while it held the first."""
    for incident in record.incidents:
        held = incident.checkout
        if incident.kind == Kind.NESTED and held is not None:
            yield Draft(
                "nested-checkout",
                incident.place,
                f"{task_name(incident.task)} asked for a second connection {at(record, incident.place)} while "
                f"it held connection {held.connection.number}, checked out {at(record, held.place)}, and the pool "
                "was empty: it waited for what it held itself",
                at=incident.at,
                task=incident.task,
                connection=held.connection,
                evidence=_holders(record, incident),
                touches=keys(incident.pool, held) | _asking(incident),
                reach=_asking(incident),
            )


def _holders(record: Record, incident: Incident) -> list[str]:
    return [holder(record, checkout, incident.at) for checkout in incident.holders[:10]]


def _asking(incident: Incident) -> set[str]:
    return {f"asking {incident.task.number}"} if incident.task else set()
