"""
The rules: what a record means. Each is a pure function of the record, in a module for its family.

A fault has consequences: a registry that is built anew at every access leaks, loses writes and exhausts its pool.
`find` folds the consequences under their root cause, and several occurrences at one line into one finding.
"""

from __future__ import annotations

from labkit.recorder.finding import Finding
from labkit.recorder.rules import engines, leaks, pools, redis, sessions, tasks
from labkit.recorder.rules.draft import Draft, Rule
from labkit.recorder.rules.folding import fold
from labkit.recorder.snapshot import Record

__all__ = ["RULES", "find"]

# Root causes first: of two that explain the same trouble, the earlier takes it.
RULES: tuple[Rule, ...] = (
    engines.forked,
    tasks.nest_asyncio,
    engines.loops_crossed,
    sessions.rebuilt_engines,
    sessions.rebuilt_makers,
    tasks.abandoned_generators,
    sessions.shared,
    sessions.scopes,
    tasks.lost_tasks,
    leaks.leaks,
    leaks.cancelled_statements,
    sessions.lost_writes,
    pools.nested,
    pools.exhausted,
    engines.not_disposed,
    engines.stale,
    tasks.primitives,
    tasks.implicit_io,
    redis.leases,
    redis.clients,
)


def find(*records: Record) -> list[Finding]:
    """
    Return the findings of a record: root causes, with their consequences and evidence in them.

    Give the records of a process and of its forked children together: what a child does to an engine of its
    parent's explains what the parent sees of it.
    """
    drafts: list[tuple[Record, Draft]] = []
    for record in records:
        found = [draft for rule in RULES for draft in rule(record)]
        if record is not records[0]:
            found = [_of_a_child(record, draft) for draft in found]
        drafts += [(record, draft) for draft in found]
    return fold(drafts)


def _of_a_child(record: Record, draft: Draft) -> Draft:
    """Tell a child's entries from its parent's by its pid; those of engines say whose they are themselves."""
    draft.touches = {key if key.startswith("Pool ") else f"{record.pid}: {key}" for key in draft.touches}
    draft.reach = {key if key.startswith("Pool ") else f"{record.pid}: {key}" for key in draft.reach}
    return draft
