"""
Every promise, on the correct engine and on every broken one: kept, or broken as the catalogue says.

The cells in which a bug should change nothing are many, and are played on the embedded servers;
`LABKIT_FULL_MATRIX=1` plays them on every provider.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from labkit.bugs import Bug, bugs
from labkit.contract import Clause, Result, check, clauses
from labkit.contract.alone import check_alone
from labkit.course.trials import drivers_of, try_bug, with_driver
from labkit.engine import Engine
from labkit.services import Capability, Services, provider_names

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
    def needs(self) -> frozenset[Capability]:
        return self.clause.needs


OTHERS = [Cell(bug, clause) for bug in bugs() for clause in clauses() if clause.name not in bug.breaks]
# What these do they do to the whole process: one patches asyncio, one starts threads that never end.
FOR_THE_PROCESS = {"hidden_by_nest_asyncio", "thread_keeps_process_alive"}


@pytest.mark.each("clause", clauses())
def test_the_correct_engine_keeps_it_and_nothing_is_found(clause: Clause, any_services: Services) -> None:
    verdict = check(clause, Engine, any_services)

    assert (verdict.result, verdict.text, verdict.findings) == (Result.KEPT, "", ())


@pytest.mark.each("bug", bugs())
def test_a_bug_breaks_shows_and_says_what_its_entry_says(bug: Bug, any_services: Services) -> None:
    trials = [try_bug(bug, with_driver(any_services, driver)) for driver in drivers_of(any_services)]

    assert [trial for trial in trials if not trial.as_promised] == []


@pytest.mark.providers(*(provider_names() if "LABKIT_FULL_MATRIX" in os.environ else ["embedded"]))
@pytest.mark.each("cell", OTHERS)
def test_a_bug_keeps_everything_else(cell: Cell, any_services: Services) -> None:
    play = check_alone if cell.bug.name in FOR_THE_PROCESS else check
    verdict = play(cell.clause, cell.bug.engine_class, any_services)

    assert verdict.result is Result.KEPT, verdict
