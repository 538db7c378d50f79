"""The short lines that stand above and below the findings: how many, what was watched, what is still held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labkit.recorder.finding import Finding
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import count, duration, holder, joined

__all__ = ["all_findings", "faults", "headline", "held", "watched"]

HOLDERS = 10  # lines on who holds a connection


def all_findings(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Return findings and their consequences, each finding before what followed from it."""
    for finding in findings:
        yield finding
        yield from all_findings(finding.consequences)


def headline(record: Record, findings: list[Finding]) -> str:
    """Return how many findings there are; without any, what the absence is worth."""
    if findings:
        followed = sum(1 for _ in all_findings(findings)) - len(findings)
        more = f", with {count(followed, 'consequence')}" if followed else ""
        return f"{count(len(findings), 'finding')}{more}"
    if not record.pools:
        return "No findings, but nothing was watched: no engine and no Redis client was used."
    return f"No findings. Watched {_things(record)}, {_checkouts(record)}, {_left(record)}."


def watched(record: Record) -> str:
    """Return what was seen in all, in one line."""
    counts = record.counts
    waits = counts.waits and f"{count(counts.waits, 'wait')} for a connection, the longest {_wait(record)}"
    parts = [
        f"watched {_things(record)} for {duration(record.taken)}",
        f"{_checkouts(record)}, {counts.checkins} returned",
        f"{count(counts.opened, 'connection')} opened, {counts.closed} closed",
        waits or "",
        count(counts.statements, "statement") if counts.statements else "",
        f"{count(counts.forgotten, 'older event')} no longer kept" if counts.forgotten else "",
    ]
    return "; ".join(filter(None, parts))


def held(record: Record) -> list[str]:
    """Return a line for each connection that is held, the oldest first, and one for those left out."""
    holders = record.holders()
    lines = [holder(record, checkout) for checkout in holders[:HOLDERS]]
    return [*lines, f"and {len(holders) - HOLDERS} more"] if len(holders) > HOLDERS else lines


def faults(record: Record) -> list[str]:
    """Return what failed in the recorder itself."""
    return [plain(fault, 300) for fault in record.faults]


def _things(record: Record) -> str:
    clients = sum(pool.kind.startswith("redis") for pool in record.pools)
    engines = len(record.pools) - clients
    return joined(
        [count(engines, "engine") if engines else "", count(clients, "Redis client") if clients else ""]
    ) or count(0, "engine")


def _checkouts(record: Record) -> str:
    return count(max(record.counts.checkouts, len(record.checkouts)), "checkout")


def _wait(record: Record) -> str:
    return duration(record.counts.longest_wait)


def _left(record: Record) -> str:
    holding = len(record.holders())
    if not holding:
        return "nothing left behind"
    return f"{count(holding, 'connection')} {'never returned' if record.ended else 'held at this moment'}"
