"""What must fail fails as declared, what must pass passes, and every file on disk is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.course.examination import examine
from labkit.course.exercises import load_exercises
from labkit.course.lessons import load_lessons
from labkit.course.verification import Attempt, attempts_of, count_files, find_faults
from labkit.services import Services

CHECKOUT = Path(__file__).parents[1]
EXERCISES = load_exercises(CHECKOUT)
ATTEMPTS = [attempt for exercise in EXERCISES for attempt in attempts_of(exercise)]
# Each file takes a process and a second. Core tries one of each kind; push what must pass, and the first three
# wrong fixes of each exercise; full all of them, as `labkit verify` does.
CORE = {attempt.kind: attempt for attempt in ATTEMPTS if attempt.exercise.name == "ch04_houston"}.values()
WRONG = 3


def tried() -> Iterator[object]:
    for exercise in EXERCISES:
        wrong = 0
        for attempt in attempts_of(exercise):
            wrong += attempt.kind == "wrong"
            tier = pytest.mark.push if attempt.kind != "wrong" or wrong <= WRONG else pytest.mark.full
            yield pytest.param(attempt, id=attempt.name, marks=() if attempt in CORE else tier)


@pytest.mark.parametrize("attempt", list(tried()))
def test_a_file_is_judged_as_it_should_be(attempt: Attempt, services: Services) -> None:
    assert attempt.fault(examine(attempt.exercise, attempt.path, services)) == ""


def test_nothing_is_missing_and_nothing_is_there_that_nobody_knows_of() -> None:
    assert list(find_faults(CHECKOUT, load_lessons(CHECKOUT), EXERCISES)) == []


def test_every_file_on_disk_is_tried() -> None:
    assert len(ATTEMPTS) == sum(map(count_files, EXERCISES)) > 0
