"""
Every promise, on the correct engine and on every broken one: kept, or broken as the catalogue says.

The cells in which a bug should change nothing are many: `LABKIT_FULL_MATRIX=1` plays them too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import pytest

from labkit.bugs import Bug, bugs
from labkit.contract import Clause, Result, Verdict, check, clauses, find_clause
from labkit.contract.alone import check_alone
from labkit.engine import Engine
from labkit.services import Capability, Services

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Cell:
    """One clause on one bug's engine: what these services can't do is no cell."""

    bug: Bug
    clause: Clause

    @property
    def name(self) -> str:
        return f"{self.bug.name}-{self.clause.name}"

    @property
    def needs(self) -> set[Capability]:
        return {*self.bug.needs, *self.clause.needs} if self.is_declared else set(self.clause.needs)

    @property
    def is_declared(self) -> bool:
        return self.clause.name in self.bug.breaks


# What these do they do to the whole process: one patches asyncio, one starts threads that never end.
FOR_THE_PROCESS = {"hidden_by_nest_asyncio", "thread_keeps_process_alive"}

CELLS = [Cell(bug, clause) for bug in bugs() for clause in clauses()]
DECLARED = [cell for cell in CELLS if cell.is_declared]
OTHERS = [cell for cell in CELLS if not cell.is_declared]

_running: dict[str, Services] = {}


def play(cell: Cell, services: Services) -> Verdict:
    """Play a cell, or remember what came of it."""
    _running[services.provider] = services
    return _played(cell.bug.name, cell.clause.name, services.provider)


@cache
def _played(bug: str, clause: str, provider: str) -> Verdict:
    [cell] = [cell for cell in DECLARED if (cell.bug.name, cell.clause.name) == (bug, clause)]
    return check(cell.clause, cell.bug.engine_class, _running[provider])


def can_play(cell: Cell, services: Services) -> bool:
    return all(need in services.capabilities for need in cell.needs)


@pytest.mark.each("clause", clauses())
def test_the_correct_engine_keeps_it_and_nothing_is_found(clause: Clause, any_services: Services) -> None:
    verdict = check(clause, Engine, any_services)

    assert (verdict.result, verdict.text, verdict.findings) == (Result.KEPT, "", ())


@pytest.mark.each("cell", DECLARED)
def test_a_bug_breaks_what_it_declares(cell: Cell, any_services: Services) -> None:
    verdict = play(cell, any_services)

    assert verdict.result is Result.BROKEN, verdict
    assert set(verdict.findings) <= {cell.bug.finding}, verdict


@pytest.mark.each("bug", bugs())
def test_what_a_bug_breaks_shows_its_finding_and_no_other(bug: Bug, any_services: Services) -> None:
    cells = [Cell(bug, find_clause(name)) for name in bug.breaks]
    codes = {code for cell in cells if can_play(cell, any_services) for code in play(cell, any_services).findings}

    assert codes == ({bug.finding} if bug.finding else set())


if "LABKIT_FULL_MATRIX" in os.environ:

    @pytest.mark.each("cell", OTHERS)
    def test_a_bug_keeps_everything_else(cell: Cell, any_services: Services) -> None:
        play_it = check_alone if cell.bug.name in FOR_THE_PROCESS else check
        verdict = play_it(cell.clause, cell.bug.engine_class, any_services)

        assert verdict.result is Result.KEPT, verdict
