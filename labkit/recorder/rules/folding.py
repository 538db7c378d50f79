"""Folding: consequences under their cause, and many occurrences at one line into one finding."""

from __future__ import annotations

from labkit.recorder.finding import CODES, Finding
from labkit.recorder.record import Record
from labkit.recorder.rules.draft import Draft

__all__ = ["EXPLAINS", "fold"]

_HOLDING = frozenset({"leaked-connection", "lost-write", "pool-exhausted"})

# Which codes a root cause can explain, in what it reaches.
EXPLAINS: dict[str, frozenset[str]] = {
    "pool-crossed-fork": frozenset(CODES) - {"pool-crossed-fork"},
    "registry-rebuilt": _HOLDING
    | {"scope-mismatch", "engine-not-disposed", "nested-checkout", "cancelled-while-holding"},
    "scope-mismatch": _HOLDING | {"cancelled-while-holding", "nested-checkout"},
    "cancelled-while-holding": _HOLDING | {"nested-checkout"},
    "lost-task": _HOLDING | {"cancelled-while-holding", "nested-checkout"},
    "abandoned-generator": _HOLDING | {"session-shared", "cancelled-while-holding", "nested-checkout", "lost-task"},
    "leaked-connection": frozenset({"pool-exhausted", "nested-checkout"}),
    "nested-checkout": frozenset({"pool-exhausted"}),
    "session-shared": _HOLDING | {"cancelled-while-holding", "stale-connection", "lost-task"},
    "pool-crossed-loops": frozenset({"leaked-connection", "engine-not-disposed", "stale-connection", "lost-write"}),
    "redis-crossed-loops": frozenset({"redis-leaked-connection"}),
}

EVIDENCE = 12  # lines of evidence that a finding keeps


def fold(record: Record, drafts: list[Draft]) -> list[Finding]:
    """Return the root causes among the drafts, each with its consequences, one for each line."""
    consequences: dict[int, list[Draft]] = {}
    roots: list[Draft] = []
    for draft in drafts:
        cause = _cause(draft, drafts)
        if cause is None:
            roots.append(draft)
        else:
            consequences.setdefault(id(cause), []).append(draft)
    groups: dict[tuple[object, ...], list[Draft]] = {}
    for root in roots:
        groups.setdefault((root.code, root.once or record.where(root.place) or root.summary), []).append(root)
    return [_finding(record, group, _below(group, consequences)) for group in groups.values()]


def _cause(draft: Draft, drafts: list[Draft]) -> Draft | None:
    """Return the first draft that explains this one, and is not itself explained by it."""
    for other in drafts:
        if other is not draft and draft.code in EXPLAINS.get(other.code, ()) and other.reach & draft.touches:
            return other
    return None


def _below(group: list[Draft], consequences: dict[int, list[Draft]]) -> list[Draft]:
    """Return everything that follows from a group, however indirectly."""
    found, pending = [], list(group)
    while pending:
        followed = consequences.pop(id(pending.pop(0)), [])
        found += followed
        pending += followed
    return found


def _finding(record: Record, group: list[Draft], below: list[Draft]) -> Finding:
    first = group[0]
    evidence = [line for draft in group for line in draft.evidence]
    if len(group) > 1 and not first.once:
        evidence = [*(draft.summary for draft in group[1:]), *evidence]
    folded: dict[tuple[object, ...], list[Draft]] = {}
    for draft in below:
        folded.setdefault((draft.code, record.where(draft.place) or draft.summary), []).append(draft)
    loop = first.task.loop if first.task else None
    return Finding(
        code=first.code,
        summary=first.summary,
        where=record.where(first.place),
        evidence=tuple(dict.fromkeys(evidence))[:EVIDENCE],
        task=first.task.name if first.task else None,
        loop=loop.number if loop else None,
        loop_closed=bool(loop and loop.closed is not None),
        connection=first.connection.number if first.connection else None,
        age=(first.at - first.since) / 1_000_000 if first.since is not None else None,
        at=first.at,
        test=first.task.test if first.task else None,
        times=len(group),
        consequences=tuple(_finding(record, each, []) for each in folded.values()),
    )
