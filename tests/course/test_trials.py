"""A trial says what was seen of a bug, and whether that is what its entry promises."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from labkit.bugs import Bug, RegistryRebuilt, find_bug
from labkit.contract import Result, Verdict, clauses
from labkit.course import trials
from labkit.course.trials import Comparison, Played, Trial, driver_of, try_bug, with_driver
from labkit.errors import InvalidInput
from labkit.services import Capability, Services

LOST = "what_a_block_writes_is_on_the_server_after_it"
KEPT = "what_is_saved_is_on_the_server"
CLOSED = "RuntimeError: Event loop is closed"
GARBAGE = "garbage collector is trying to clean up"

NOWHERE = Services("embedded", "mysql+asyncmy://lab:secret@h/lab", "redis://h", {}, frozenset())


def bug(**changed: Any) -> Bug:
    """Return the story's bug, with an entry of its own."""
    entry = {
        "name": "registry_rebuilt",
        "bug": "RegistryRebuilt",
        "symptom": "A write is lost.",
        "family": "implicit IO",
        "breaks": [LOST],
        "finding": "registry-rebuilt",
        "unseen": "",
        "needs": [],
        "lesson": "ch07_who_is_my_session",
        "fix": "Build the registry once.",
        "sources": ["https://example.org/1"],
        "texts": {"asyncmy": [CLOSED, GARBAGE], "aiomysql": [CLOSED], "aiosqlite": [GARBAGE]},
        "wrong_fixes": [{"do": "This.", "why": "No."}, {"do": "That.", "why": "No."}],
    }
    return Bug.model_validate(entry | changed)


@pytest.mark.learner_path
def test_a_bug_that_does_what_its_entry_says_is_as_promised(any_services: Services) -> None:
    told: list[tuple[int, str]] = []
    trial = try_bug(bug(), any_services, 2, lambda number, clause: told.append((number, clause)))

    assert trial.as_promised, trial
    assert (trial.broken[0].times, trial.correct[0].times, trial.broken[0].of) == (2, 2, 2)
    assert trial.findings is not None
    assert (trial.findings.seen, trial.findings.times) == (("registry-rebuilt",), 2)
    assert told == [(1, LOST), (1, LOST), (2, LOST), (2, LOST)]


PLAYED = Played(LOST, Result.BROKEN, (Verdict(LOST, Result.BROKEN),))
OTHERWISE = Played(LOST, Result.BROKEN, (Verdict(LOST, Result.BROKEN), Verdict(LOST, Result.KEPT)))
AS_SAID = Comparison("findings", ("lost-write",), ("lost-write",), 2, 2)
NOT_SAID = Comparison("findings", ("lost-write",), (), 1, 2)
ALL_AS_SAID = Trial(
    "registry_rebuilt", "embedded", "asyncmy", 2, (PLAYED,), (PLAYED,), AS_SAID, AS_SAID, AS_SAID, AS_SAID
)


def test_a_trial_in_which_all_was_so_is_as_promised() -> None:
    assert ALL_AS_SAID.as_promised


@pytest.mark.parametrize(
    "other",
    [
        {"broken": (OTHERWISE,)},
        {"correct": (PLAYED, OTHERWISE)},
        {"findings": NOT_SAID},
        {"findings_of_correct": NOT_SAID},
        {"texts": NOT_SAID},
        {"texts_of_correct": NOT_SAID},
        {"broken": ()},
        {"not_run": "needs sleep"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_trial_in_which_one_thing_was_not_so_is_not_as_promised(other: dict[str, Any]) -> None:
    assert not replace(ALL_AS_SAID, **other).as_promised


@pytest.mark.learner_path
def test_a_bug_that_this_system_can_not_show_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork", raising=False)
    trial = try_bug(find_bug("forked_pool"), replace(NOWHERE, capabilities=frozenset({Capability.SERVER})))

    assert (trial.not_run, trial.as_promised) == ("needs fork, which this system does not have", False)


def test_another_driver_has_texts_of_its_own(services: Services) -> None:
    trial = try_bug(bug(), with_driver(services, "aiomysql"))

    assert trial.as_promised, trial
    assert trial.driver == "aiomysql"
    assert trial.texts is not None
    assert trial.texts.seen == (CLOSED,)


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"breaks": [LOST, KEPT]}, "broken"),
        ({"finding": "lost-write"}, "findings"),
        ({"finding": "", "unseen": "It looks elsewhere."}, "findings"),
        ({"texts": {driver: ["Lost it"] for driver in ("asyncmy", "aiomysql", "aiosqlite")}}, "texts"),
    ],
)
@pytest.mark.providers("sqlite")
def test_one_promise_that_is_not_so_is_named(any_services: Services, changed: Any, wrong: str) -> None:
    trial = try_bug(bug(**changed), any_services)

    assert not trial.as_promised
    found = {
        "broken": all(each.times == each.of for each in trial.broken),
        "findings": trial.findings is not None and trial.findings.holds,
        "texts": trial.texts is not None and trial.texts.holds,
    }
    assert [name for name, holds in found.items() if not holds] == [wrong]


@pytest.mark.providers("sqlite")
def test_a_correct_engine_that_breaks_its_promise_is_not_as_promised(
    any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "Engine", RegistryRebuilt)

    trial = try_bug(bug(), any_services)

    assert not trial.as_promised
    assert trial.correct[0].times == 0
    assert trial.findings_of_correct is not None
    assert not trial.findings_of_correct.holds


@pytest.mark.providers("sqlite")
def test_a_clause_that_these_services_cannot_play_is_left_out(any_services: Services) -> None:
    more = next(clause.name for clause in clauses() if clause.needs - any_services.capabilities)

    trial = try_bug(bug(breaks=[LOST, more]), any_services)

    assert trial.as_promised, trial
    assert trial.left_out == (more,)
    assert [played.clause for played in trial.broken] == [LOST]


def test_a_bug_that_these_services_cannot_show_is_not_run_and_no_success() -> None:
    trial = try_bug(bug(needs=["restart"]), NOWHERE)

    assert trial.not_run == "needs restart: local, containers can"
    assert not trial.as_promised
    assert trial.broken == trial.correct == ()


def test_a_bug_none_of_whose_clauses_can_be_played_is_not_run() -> None:
    needy = next(clause for clause in clauses() if clause.needs)

    trial = try_bug(bug(breaks=[needy.name]), NOWHERE)

    assert trial.not_run.startswith("needs ")
    assert not trial.as_promised


def test_a_bug_is_played_at_least_once() -> None:
    with pytest.raises(InvalidInput, match="got 0 times"):
        try_bug(bug(), NOWHERE, 0)


def test_the_password_stays_when_the_driver_changes() -> None:
    changed = with_driver(NOWHERE, "aiomysql")

    assert changed.database_url == "mysql+aiomysql://lab:secret@h/lab"
    assert driver_of(changed) == "aiomysql"


def test_a_driver_of_another_database_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'aiosqlite' can't speak to the provider 'embedded'"):
        with_driver(NOWHERE, "aiosqlite")
    with pytest.raises(InvalidInput, match="'asyncmy' can't speak"):
        with_driver(replace(NOWHERE, database_url="sqlite+aiosqlite:///lab.db"), "asyncmy")


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "find_spec", lambda name: None)

    with pytest.raises(InvalidInput, match="pip install aiomysql"):
        with_driver(NOWHERE, "aiomysql")


def test_what_a_provider_can_do_is_asked_of_its_services() -> None:
    able = replace(NOWHERE, capabilities=frozenset({Capability.SERVER}))

    assert try_bug(bug(needs=["kill", "server"]), able).not_run.startswith("needs kill: ")
