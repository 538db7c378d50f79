"""Accounts: which findings are whose, where several owners share one recorder, and when each is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from labkit.recorder.finding import Finding
from labkit.recorder.flight import FlightRecorder
from labkit.recorder.model import Checkout, Incident, Kind, Session
from labkit.recorder.rules import find
from labkit.recorder.snapshot import Record

__all__ = ["LEAKS", "FindingsByOwner", "OwnerFindings", "is_leak"]

LEAKS = frozenset(
    {
        "leaked-connection",
        "redis-leaked-connection",
        "engine-not-disposed",
        "cancelled-while-holding",
        "scope-mismatch",
        "lost-task",
        "abandoned-generator",
    }
)

_UNRETURNED = frozenset({Kind.COLLECTED, Kind.HELD_AT_END, Kind.HELD_AT_LOOP_END, Kind.HELD_AT_EXIT})

# What comes to light by chance, and often while another test runs: it is charged to the one that began it.
_BELATED = _UNRETURNED | frozenset(
    {
        Kind.IDLE_AT_LOOP_END,
        Kind.IDLE_AT_EXIT,
        Kind.DROPPED,
        Kind.LOST_WRITE,
        Kind.LEFT_IN_SCOPE,
        Kind.LOST_TASK,
        Kind.ABANDONED_GENERATOR,
    }
)


def is_leak(finding: Finding) -> bool:
    """Return True if something was left behind, by this fault or by what followed from it."""
    return finding.code in LEAKS or any(map(is_leak, finding.consequences))


@dataclass(frozen=True, slots=True)
class OwnerFindings:
    """What one owner has to answer for; `owner` is None for what ran outside of tests and cells."""

    owner: str | None
    record: Record
    findings: list[Finding]

    def unreturned(self) -> list[Checkout]:
        """Return the checkouts that the owner never gave back, the oldest first."""
        found = {each.checkout for each in self.record.incidents if each.checkout and each.kind in _UNRETURNED}
        return sorted(found, key=lambda checkout: checkout.number)


class FindingsByOwner:
    """
    Charges every fault to its owner, once.

    An owner in `lasting` outlives others: a fixture of many tests, say. What is held through its sessions, or idle
    in its engines, is charged to it, and not to the test that ran meanwhile.
    """

    def __init__(self, flight: FlightRecorder) -> None:
        self._flight = flight
        self._ledger = flight._ledger
        self._trackers = flight._trackers
        self._seen = 0  # the number of the last incident that was charged
        self._open: dict[str | None, list[int]] = {}  # incidents that were charged and not told, by owner
        self._told: set[int] = set()  # checkouts
        self._told_sessions: set[int] = set()
        self.lasting: set[str] = set()

    def close(
        self, owner: str, what: str, *, but: Callable[[Checkout], bool] | None = None
    ) -> OwnerFindings | None:
        """
        Return what an owner has to answer for, now that `what` has ended; None when that is nothing.

        What it still holds is never returned, except for checkouts of which `but` says that they will be.
        """
        for checkout in self._held_by(owner):
            if but is None or not but(checkout):
                self._hold(checkout, what)
        self._charge()
        return self._tell(owner)

    def _hold(self, checkout: Checkout, what: str) -> None:
        self._trackers.sessions.lost(checkout)
        self._ledger.incident(
            Kind.HELD_AT_END,
            checkout.place,
            task=checkout.task,
            checkout=checkout,
            connection=checkout.connection,
            text=what,
        )

    def rest(self) -> list[OwnerFindings]:
        """Return what was charged and not yet told."""
        self._charge()
        told = [self._tell(owner) for owner in list(self._open)]
        return [account for account in told if account is not None]

    def has_open(self, owner: str) -> bool:
        """Return True if an owner holds a connection or has one idle; if not, collecting garbage tells nothing."""
        return bool(self._held_by(owner)) or self.has_idle(owner)

    def has_idle(self, owner: str) -> bool:
        """Return True if connections are idle in an engine that an owner made."""
        return any(connection.pool.test == owner for connection in list(self._ledger.connections.values()))

    def is_in_use(self, checkout: Checkout) -> bool:
        """Return True if the task that holds a checkout goes on, and is not the one that asks."""
        task: Any = self._ledger.task_of(checkout.task)
        return task is not None and not task.done() and task is not _current_task()

    def _held_by(self, owner: str) -> list[Checkout]:
        held = [checkout for checkout in list(self._ledger.out.values()) if checkout.number not in self._told]
        return [checkout for checkout in held if self._owner_of(checkout, checkout.session) == owner]

    def _owner_of(self, checkout: Checkout | None, session: Session | None) -> str | None:
        """Return who has to give back a checkout, or to close a session: a fixture's session is the fixture's."""
        if session is not None and (checkout is None or session.task.test in self.lasting):
            return session.task.test
        return checkout.task.test if checkout is not None else None

    def _charge(self) -> None:
        fresh = [incident for incident in list(self._ledger.incidents) if incident.number > self._seen]
        for incident in fresh:
            self._seen = incident.number
            if not self._is_told(incident):
                self._open.setdefault(self._debtor(incident), []).append(incident.number)

    def _is_told(self, incident: Incident) -> bool:
        if incident.checkout is not None and incident.checkout.number in self._told:
            return True
        later = incident.kind in {Kind.LOST_WRITE, Kind.LEFT_IN_SCOPE}
        return later and incident.session is not None and incident.session.number in self._told_sessions

    def _debtor(self, incident: Incident) -> str | None:
        if incident.kind not in _BELATED:
            return incident.task.test if incident.task else None
        checkout = incident.checkout
        if checkout is not None or incident.session is not None:
            return self._owner_of(checkout, incident.session or (checkout.session if checkout else None))
        if incident.pool is not None and incident.pool.test in self.lasting:
            return incident.pool.test
        return incident.connection.task.test if incident.connection else None

    def _tell(self, owner: str | None) -> OwnerFindings | None:
        numbers = set(self._open.pop(owner, ()))
        if not numbers:
            return None
        record = self._flight.record()
        record.incidents = [incident for incident in record.incidents if incident.number in numbers]
        self._remember(record.incidents)
        findings = find(record)
        return OwnerFindings(owner, record, findings) if findings else None

    def _remember(self, incidents: Iterable[Incident]) -> None:
        self._told.update(incident.checkout.number for incident in incidents if incident.checkout)
        self._told_sessions.update(incident.session.number for incident in incidents if incident.session)


def _current_task() -> Any:
    loop = asyncio._get_running_loop()
    return asyncio.current_task(loop) if loop is not None else None
