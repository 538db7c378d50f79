"""A learner who schedules by hand sees the tasks stand, and decides what comes of them."""

from __future__ import annotations

import threading

import pytest

from labkit.bugs import Bug, bugs, find_bug
from labkit.bugs.shared_session import SharedSession
from labkit.contract import Clause, Result, clauses, find_clause
from labkit.course import play as module
from labkit.course.board import Board, InSession
from labkit.course.play import Leave, play_by_hand, playable
from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.services import Services

ANOTHER = find_clause("the_end_of_another_task_commits_nothing")


class ByPlan:
    """Chooses points in an order, and keeps every board that it saw."""

    def __init__(self, *order: str) -> None:
        self.order = list(order)
        self.boards: list[Board] = []

    def __call__(self, board: Board) -> str:
        self.boards.append(board)
        return self.order.pop(0) if self.order else board.points[0]


def test_the_order_of_the_clause_shows_the_bug(any_services: Services) -> None:
    played = play_by_hand(ANOTHER, SharedSession, any_services, ByPlan())

    assert played.passed == ("Ada has written", "Bob is inside", "Bob has ended", "Ada fails")
    assert played.verdict.result is Result.BROKEN


def test_in_another_order_the_bug_does_not_show(any_services: Services) -> None:
    plan = ByPlan("Ada has written", "Ada fails")
    played = play_by_hand(ANOTHER, SharedSession, any_services, plan)

    assert played.passed == ("Ada has written", "Ada fails", "Bob is inside", "Bob has ended")
    assert played.verdict.result is Result.KEPT


@pytest.mark.parametrize("clause", [each for each in clauses() if each.ordered], ids=lambda each: each.name)
def test_the_correct_engine_keeps_its_promise(clause: Clause, any_services: Services) -> None:
    assert play_by_hand(clause, Engine, any_services, ByPlan()).verdict.result is Result.KEPT


def test_the_board_shows_who_has_which_session_and_which_connection(any_services: Services) -> None:
    plan = ByPlan()
    play_by_hand(find_clause("another_task_gets_its_own_session"), SharedSession, any_services, plan)
    shared = [(each.task, each.session) for each in plan.boards[0].sessions]

    plan = ByPlan()
    play_by_hand(ANOTHER, Engine, any_services, plan)
    first = plan.boards[0]

    assert shared == [("ada", "A"), ("bob", "A")]
    assert first.points == ("Ada has written", "Bob is inside")
    assert first.sessions == (InSession("ada", "A", in_transaction=True),)
    assert [each.task for each in first.out] == ["ada"]
    assert first.pool[0] == 1


def scenes() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("scene ")]


@pytest.mark.push
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("bug", [each for each in bugs() if playable(each)], ids=lambda each: each.name)
def test_who_leaves_leaves_nothing_behind(bug: Bug, after: int, any_services: Services) -> None:
    def choose_or_leave(board: Board) -> str:
        if len(boards) == after:
            raise Leave
        boards.append(board)
        return board.points[0]

    boards: list[Board] = []
    with pytest.raises(Leave):
        play_by_hand(playable(bug)[0], bug.engine_class, any_services, choose_or_leave)
    assert scenes() == []

    # The stage is free again, and nobody holds a connection or a lock.
    assert play_by_hand(ANOTHER, Engine, any_services, ByPlan()).verdict.result is Result.KEPT


def test_a_clause_that_ends_while_the_learner_thinks_is_no_error(
    any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THINKING", 0.5)

    def think_until_it_has_ended(board: Board) -> str:
        for scene in scenes():
            scene.join()
        return board.points[0]

    played = play_by_hand(ANOTHER, Engine, any_services, think_until_it_has_ended)

    assert played.verdict.result is Result.TIMED_OUT


def test_a_choice_that_nobody_waits_for_is_refused(any_services: Services) -> None:
    with pytest.raises(InvalidInput, match="No task waits at 'Ada fails'"):
        play_by_hand(ANOTHER, Engine, any_services, ByPlan("Ada fails"))


def test_a_clause_without_points_is_refused(any_services: Services) -> None:
    with pytest.raises(InvalidInput, match="no points"):
        play_by_hand(find_clause("a_session_is_closed_with_its_block"), Engine, any_services, ByPlan())


def test_a_bug_can_be_played_where_it_breaks_a_clause_with_points() -> None:
    assert {bug.name for bug in bugs() if playable(bug)} == {
        "cached_before_commit",
        "published_before_commit",
        "shared_session",
    }
    assert playable(find_bug("shared_session"))[0] is ANOTHER


def test_every_clause_with_a_sequencer_can_be_played_and_no_other() -> None:
    assert all(("sequencer" in each.play.__code__.co_names) is each.ordered for each in clauses())
