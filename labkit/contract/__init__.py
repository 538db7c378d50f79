"""
The contract: what "correct" means for an engine, one promise a function, decided by behaviour and by the servers.

    for clause in clauses():
        print(check(clause, Engine, services))
"""

from __future__ import annotations

from labkit.contract import (  # noqa: F401  a topic registers its clauses when it is imported
    cache,
    cancellation,
    exhaustion,
    faults,
    fork,
    loops,
    messages,
    notebook,
    reading,
    release,
    saving,
    sessions,
    subscriptions,
)
from labkit.contract.alone import check
from labkit.contract.clause import Clause, clauses, find_clause
from labkit.contract.sequencer import Sequencer, sequencer, sequencers
from labkit.contract.verdict import Result, Verdict

__all__ = ["Clause", "Result", "Sequencer", "Verdict", "check", "clauses", "find_clause", "sequencer", "sequencers"]
