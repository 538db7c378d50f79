"""Folding: consequences under their cause, and many occurrences at one line into one finding."""

from __future__ import annotations

from labkit.recorder.finding import CODES, Finding
from labkit.recorder.rules.draft import Draft
from labkit.recorder.snapshot import Record

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

_Drafted = tuple[Record, Draft]

EVIDENCE = 12  # lines of evidence that a finding keeps


def fold(drafts: list[tuple[Record, Draft]]) -> list[Finding]:
    """Return the root causes among the drafts, each with its consequences, one for each line."""
    consequences: dict[int, list[_Drafted]] = {}
    groups: dict[tuple[object, ...], list[_Drafted]] = {}
    for drafted in drafts:
        cause = _cause(drafted[1], drafts)
        if cause is not None:
            consequences.setdefault(id(cause), []).append(drafted)
        else:
            groups.setdefault(_line(*drafted, drafted[1].once), []).append(drafted)
    return [_finding(group, _below(group, consequences)) for group in groups.values()]


def _cause(draft: Draft, drafts: list[_Drafted]) -> Draft | None:
    """Return the first draft that explains this one."""
    # What was checked out before the cause began, and never came back, would have leaked without it.
    leaked_at = draft.since if draft.code == "leaked-connection" else None
    for _, other in drafts:
        is_late = leaked_at is not None and other.begins is not None and leaked_at < other.begins
        if other is draft or is_late or draft.code not in EXPLAINS.get(other.code, ()):
            continue
        if other.reach & draft.touches:
            return other
    return None


def _line(record: Record, draft: Draft, once: str = "") -> tuple[object, ...]:
    """Return what two occurrences of one fault have in common."""
    return (record.pid, draft.code, once or record.where(draft.place) or draft.summary)


def _below(group: list[_Drafted], consequences: dict[int, list[_Drafted]]) -> list[_Drafted]:
    """Return everything that follows from a group, however indirectly."""
    found: list[_Drafted] = []
    pending = list(group)
    while pending:
        followed = consequences.pop(id(pending.pop(0)[1]), [])
        found += followed
        pending += followed
    return found


def _finding(group: list[_Drafted], below: list[_Drafted]) -> Finding:
    record, first = group[0]
    folded: dict[tuple[object, ...], list[_Drafted]] = {}
    for drafted in below:
        folded.setdefault(_line(*drafted), []).append(drafted)
    loop = first.task.loop if first.task else None
    return Finding(
        code=first.code,
        summary=first.summary,
        where=record.where(first.place),
        evidence=_evidence([draft for _, draft in group]),
        task=first.task.name if first.task else None,
        loop=loop.number if loop else None,
        loop_closed=bool(loop and loop.closed is not None),
        connection=first.connection.number if first.connection else None,
        age=(first.at - first.since) / 1_000_000 if first.since is not None else None,
        at=first.at,
        test=first.task.test if first.task else None,
        pid=record.pid,
        times=len(group),
        consequences=tuple(_finding(each, []) for each in folded.values()),
    )


def _evidence(group: list[Draft]) -> tuple[str, ...]:
    """Return what was seen besides the first occurrence: the others, and what each had to show."""
    first = group[0]
    others = [] if first.once else [draft.summary for draft in group[1:]]
    lines = dict.fromkeys([*first.evidence, *others, *(line for draft in group[1:] for line in draft.evidence)])
    return tuple(line for line in lines if line != first.summary)[:EVIDENCE]
