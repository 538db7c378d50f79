"""
Every promise, on the correct engine and on every broken one: kept, or broken as the catalogue says.

A bug should change nothing in most cells. Those of the topics that it touches are played for each change, all of
them every night.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from labkit.bugs import Bug, bugs
from labkit.contract import Clause, Result, check, clauses, find_clause
from labkit.contract.alone import check_alone
from labkit.course.trials import drivers_of, try_bug, with_driver
from labkit.engine import Engine
from labkit.services import Capability, Services


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

    @property
    def is_near(self) -> bool:
        return self.clause.topic in {find_clause(name).topic for name in self.bug.breaks}


# On Python 3.14 whatever has a time limit fails once nest_asyncio 1.6 is applied: it knows no current task there.
SOUND = [bug for bug in bugs() if bug.name != "hidden_by_nest_asyncio" or sys.version_info < (3, 14)]
CELLS = [Cell(bug, clause) for bug in SOUND for clause in clauses() if clause.name not in bug.breaks]
# What these do they do to the whole process: one patches asyncio, one starts threads that never end.
FOR_THE_PROCESS = {"hidden_by_nest_asyncio", "thread_keeps_process_alive"}


@pytest.mark.real_servers("core", "core")
@pytest.mark.each("clause", clauses())
def test_the_correct_engine_keeps_it_and_nothing_is_found(clause: Clause, any_services: Services) -> None:
    verdict = check(clause, Engine, any_services)

    assert (verdict.result, verdict.text, verdict.findings) == (Result.KEPT, "", ())


@pytest.mark.real_servers("full", "push")  # MySQL itself for each change, the first, a MariaDB, every night
@pytest.mark.each("bug", bugs())
def test_a_bug_breaks_shows_and_says_what_its_entry_says(bug: Bug, services: Services) -> None:
    trial = try_bug(bug, services)

    assert trial.as_promised, trial


@pytest.mark.full
@pytest.mark.providers("sqlite")
@pytest.mark.each("bug", bugs())
def test_a_bug_does_so_without_a_server_too(bug: Bug, any_services: Services) -> None:
    trial = try_bug(bug, any_services)

    assert trial.as_promised, trial


@pytest.mark.full
@pytest.mark.each("bug", bugs())
def test_a_bug_does_so_with_every_other_driver_too(bug: Bug, services: Services) -> None:
    _, *others = drivers_of(services)
    trials = [try_bug(bug, with_driver(services, driver)) for driver in others]

    assert [trial for trial in trials if not trial.as_promised] == []


def keeps(cell: Cell, services: Services) -> None:
    play = check_alone if cell.bug.name in FOR_THE_PROCESS else check
    verdict = play(cell.clause, cell.bug.engine_class, services)

    assert verdict.result is Result.KEPT, verdict


@pytest.mark.push
@pytest.mark.providers("embedded")
@pytest.mark.each("cell", [cell for cell in CELLS if cell.is_near])
def test_a_bug_keeps_the_other_clauses_of_its_topics(cell: Cell, services: Services) -> None:
    keeps(cell, services)


@pytest.mark.full
@pytest.mark.each("cell", CELLS)
def test_a_bug_keeps_everything_else(cell: Cell, any_services: Services) -> None:
    keeps(cell, any_services)
