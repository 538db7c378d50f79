"""The words that rules and reports share."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.recorder.wording import count, duration, ending, holder, joined, moment, task_name

from .records import MS, SECOND, Build, exhausted


@pytest.mark.parametrize(
    ("microseconds", "said"),
    [
        (0, "0 ms"),
        (4, "0.01 ms"),
        (350, "0.35 ms"),
        (9_940, "9.9 ms"),
        (26 * MS, "26 ms"),
        (999_600, "1 s"),
        (3_200 * MS, "3.2 s"),
        (59_990 * MS, "60 s"),
        (250 * SECOND, "4 min 10 s"),
        (7_500 * SECOND, "2 h 5 min"),
        (90_000 * SECOND, "1 d 1 h"),
    ],
)
def test_a_length_of_time_is_said_as_a_person_says_it(microseconds: int, said: str) -> None:
    assert duration(microseconds) == said


@pytest.mark.parametrize(
    ("microseconds", "said"), [(12 * MS, "0.012 s"), (59_999_600, "0:01:00.000"), (3_723_004 * MS, "1:02:03.004")]
)
def test_a_moment_is_said_to_the_millisecond(microseconds: int, said: str) -> None:
    assert moment(microseconds) == said


def test_a_number_agrees_with_its_noun() -> None:
    assert [count(1, "checkout"), count(12_000, "checkout"), count(0, "query", "queries")] == [
        "1 checkout",
        "12 000 checkouts",
        "0 queries",
    ]


def test_a_list_is_prose() -> None:
    assert [joined([]), joined(["a"]), joined(["a", "b", "c"])] == ["", "a", "a, b and c"]


def test_a_task_without_a_name_of_its_own_is_told_by_what_it_runs() -> None:
    build = Build()
    loop = build.loop()

    assert task_name(build.task("signup", loop, "sign_up")) == 'task "signup"'
    assert task_name(build.task("Task-7", loop, "worker")) == "task Task-7 (worker)"
    assert task_name(build.task("MainThread", None)) == "thread MainThread"
    assert task_name(None) == "no task"


def test_a_return_by_another_task_is_told() -> None:
    build = Build()
    loop = build.loop()
    owner, stranger = build.task("owner", loop), build.task("stranger", loop)
    connection = build.connection(build.pool(), owner, 1 * MS)
    given = [build.checkout(connection, owner, 2 * MS, 3 * MS, by=by) for by in (None, stranger)]

    assert [ending(build.record, checkout) for checkout in given] == ["returned", 'returned by task "stranger"']


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "still held"),
        ({"until": 3 * MS, "end": "collected"}, "taken back by the garbage collector"),
        ({"until": 3 * MS, "end": "invalidated"}, "invalidated while held"),
        ({"until": 3 * MS, "interrupted": 2 * MS}, "returned, after its task was cancelled"),
    ],
    ids=["held", "collected", "invalidated", "cancelled"],
)
def test_an_ending_is_said_in_plain_words(how: dict[str, Any], said: str) -> None:
    build = Build()
    task = build.task("t", build.loop())
    checkout = build.checkout(build.connection(build.pool(), task, 1 * MS), task, 2 * MS, **how)

    assert ending(build.record, checkout) == said


def test_a_holder_is_told_with_the_line_where_it_waits_now() -> None:
    record, _ = exhausted()

    assert holder(record, record.checkouts[0]) == (
        'connection 1: task "order-1" on loop #1, for 3.1 s, from orders.py:77 in call_partner; '
        "it waits now at orders.py:80 in call_partner"
    )
