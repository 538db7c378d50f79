"""The course is checked against itself: whatever is changed in it for the worse is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.course.examination import Examination
from labkit.course.exercises import load_exercises
from labkit.course.lessons import load_lessons
from labkit.course.verdict import Verdict
from labkit.course.verification import Verification, attempts_of, find_faults, verify
from labkit.errors import InvalidSetting
from labkit.services import Services

ROOT = Path(__file__).parents[2]

BROKEN = '"""Double a number."""\n\n\nasync def double(number):\n    return number\n'
SOLUTION = '"""Two of it are the double."""\n\n\nasync def double(number):\n    return number + number\n'
TESTS = """\
from labkit.course.promises import expect, play


def test_two_doubled_is_four(exercise):
    expect("the double of 2", found=play(exercise.double, 2).get(), to_be=4)


def test_three_doubled_is_six(exercise):
    expect("the double of 3", found=play(exercise.double, 3).get(), to_be=6)
"""
HINTS = "# Hints\n\n## Hint 1\n\nHow many are a pair?\n\n## Hint 2\n\nAdd something to it.\n"
FOUR, SIX = "test_two_doubled_is_four", "test_three_doubled_is_six"


def right(expression: str) -> str:
    return f"async def double(number):\n    return {expression}\n"


def wrong(expression: str, fails: str) -> str:
    return (
        f'"""\nReturn {expression}.\n\nFails: {fails}\n\nBecause: it is another number.\n"""\n\n{right(expression)}'
    )


INDEX = '[[lesson]]\nfolder = "ch00_double"\ntitle = "Double"\nminutes = 5\nobjectives = ["double"]\n'
COURSE = {
    "lessons/index.toml": INDEX,
    "lessons/ch00_double/lesson.md": "# Double\n",
    "lessons/ch00_double/exercise.py": BROKEN,
    "lessons/ch00_double/solution.py": SOLUTION,
    "lessons/ch00_double/test_exercise.py": TESTS,
    "lessons/ch00_double/hints.md": HINTS,
    "lessons/ch00_double/instructor.md": "## How it goes\n",
    "lessons/ch00_double/right_fixes/times_two.py": right("2 * number"),
    "lessons/ch00_double/right_fixes/shift.py": right("number << 1"),
    "lessons/ch00_double/right_fixes/total.py": right("sum([number, number])"),
    "lessons/ch00_double/wrong_fixes/square.py": wrong("number**2", SIX),
    "lessons/ch00_double/wrong_fixes/one_more.py": wrong("number + 1", FOUR),
    "lessons/ch00_double/wrong_fixes/always_four.py": wrong("4", SIX),
    "notebooks/00_double.ipynb": "{}",
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for name, text in COURSE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def faults_of(course: Path) -> list[str]:
    return list(find_faults(course, load_lessons(course), load_exercises(course)))


# Files that are tried.


@pytest.fixture
def verified(course: Path, services: Services) -> Callable[[], Verification]:
    return lambda: verify(course, [services, services])


def test_a_course_holds_only_if_all_was_tried_and_nothing_is_wrong(course: Path) -> None:
    [exercise] = load_exercises(course)
    [attempt, *_] = attempts_of(exercise)
    tried = ((attempt, Examination(exercise.name, Verdict.NOT_ATTEMPTED, attempt.path)),)

    assert Verification(tried, wanted=1, faults=()).holds
    assert not Verification(tried, wanted=1, faults=("there is no lesson.md",)).holds
    assert not Verification(tried, wanted=2, faults=()).holds
    assert not Verification((), wanted=0, faults=()).holds


@pytest.mark.providers("embedded")
def test_a_good_course_holds_and_every_file_is_tried_once(verified: Callable[[], Verification]) -> None:
    found = verified()

    assert found.faults == ()
    assert found.holds
    assert len(found.tried) == found.wanted == 8
    assert len({attempt.path for attempt, _ in found.tried}) == 8


@pytest.mark.providers("embedded")
@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("exercise.py", right("number * 2"), "ch00_double/exercise should fail: passed"),
        (
            "solution.py",
            SOLUTION.replace("+ number", "+ 2"),
            "ch00_double/solution should pass: failed: test_three_doubled_is_six: expected: the double of 3; "
            "got: 5 in place of 6",
        ),
        ("right_fixes/shift.py", "1 / 0\n", "ch00_double/shift should pass: failed: your file can't be imported"),
        ("wrong_fixes/square.py", wrong("number * 2", SIX), "ch00_double/square should fail: passed"),
        (
            "wrong_fixes/square.py",
            wrong("number**2", FOUR),
            "ch00_double/square should fail by test_two_doubled_is_four, fails by test_three_doubled_is_six",
        ),
        ("wrong_fixes/square.py", right("number**2"), "square.py does not say what it tries"),
    ],
    ids=[
        "an exercise that passes",
        "a solution that fails",
        "a right fix that fails",
        "a wrong fix that passes",
        "a wrong fix that fails by another test",
        "no declaration",
    ],
)
def test_one_file_that_is_not_as_it_should_be_is_named(
    name: str, text: str, fault: str, course: Path, verified: Callable[[], Verification]
) -> None:
    (course / "lessons" / "ch00_double" / name).write_text(text)
    found = verified()

    assert not found.holds
    assert any(fault in each for each in found.faults), found.faults
    # A wrong fix without a declaration takes the others with it: they are counted as not tried.
    assert len(found.tried) == (8 if found.faults[0].startswith("ch00_double/") else 5)
    assert found.wanted == 8


@pytest.mark.providers("embedded")
def test_two_wrong_fixes_that_look_the_same_can_not_both_be_explained(
    course: Path, verified: Callable[[], Verification]
) -> None:
    for name in ("square_too.py", "square_again.py"):
        (course / "lessons/ch00_double/wrong_fixes" / name).write_text(wrong("number**2", SIX))
    found = verified()

    assert not found.holds
    assert len(found.faults) == 2
    assert all(each.endswith("does not get the explanation that it promises") for each in found.faults)


# What is missing, and what is too much.

LESSON = "lessons/ch00_double"


@pytest.mark.parametrize(
    ("name", "text", "faults"),
    [
        (f"{LESSON}/notes.txt", "", ["ch00_double: notes.txt belongs to nothing"]),
        (f"{LESSON}/extra/exercise.py", "", ["ch00_double: extra belongs to nothing"]),
        (f"{LESSON}/wrong_fixes/old.py.bak", "", ["ch00_double: wrong_fixes/old.py.bak belongs to nothing"]),
        (f"{LESSON}/right_fixes/old/shift.py", "", ["ch00_double: right_fixes/old belongs to nothing"]),
        ("lessons/ch01_next/lesson.md", "", ["ch01_next is not in lessons/index.toml"]),
        ("lessons/notes.txt", "", ["notes.txt is not in lessons/index.toml"]),
        ("notebooks/01_next.ipynb", "{}", ["01_next.ipynb belongs to no lesson"]),
        (f"{LESSON}/hints.md", "# Hints\n", ["ch00_double: expected 1 to 3 hints, got 0"]),
        (f"{LESSON}/hints.md", f"{HINTS}\n## 3\n\n\n", ["ch00_double: expected 1 to 3 hints, got 3"]),
        (
            f"{LESSON}/hints.md",
            f"{HINTS}## 3\n\nc\n\n## 4\n\nd\n",
            ["ch00_double: expected 1 to 3 hints, got 4"],
        ),
        (
            f"{LESSON}/hints.md",
            "# Hints\n\n## Hint 1\n\nTry this:\n\n    return  number + number\n",
            ["ch00_double: a hint tells a line of the solution: return number + number"],
        ),
        (f"{LESSON}/solution.py", right("number + number"), ["ch00_double: solution.py does not say why it works"]),
        (
            f"{LESSON}/solution.py",
            "def (:\n",
            ["ch00_double: solution.py can't be read: invalid syntax (<unknown>, line 1)"],
        ),
        (
            f"{LESSON}/exercise.py",
            "def (:\n",
            ["ch00_double: exercise.py can't be read: invalid syntax (<unknown>, line 1)"],
        ),
        (
            "lessons/index.toml",
            INDEX.replace("minutes = 5", "minutes = 0"),
            ["ch00_double: minutes and objectives are missing in lessons/index.toml"],
        ),
        (
            "lessons/index.toml",
            INDEX.replace('["double"]', "[]"),
            ["ch00_double: minutes and objectives are missing in lessons/index.toml"],
        ),
        (
            "lessons/index.toml",
            f"{INDEX}{INDEX.replace('ch00_double', 'ch01_next')}",
            [
                "ch01_next: there is no lesson.md",
                "ch01_next: there is no 01_next.ipynb: `labkit build` makes it",
                "ch01_next: there is no exercise.py",
            ],
        ),
    ],
)
def test_what_is_wrong_in_the_folders_is_named(name: str, text: str, faults: list[str], course: Path) -> None:
    path = course / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

    assert faults_of(course) == faults


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (f"{LESSON}/lesson.md", "ch00_double: there is no lesson.md"),
        (f"{LESSON}/exercise.py", "ch00_double: there is no exercise.py"),
        (f"{LESSON}/solution.py", "ch00_double: there is no solution.py"),
        (f"{LESSON}/test_exercise.py", "ch00_double: there is no test_exercise.py"),
        (f"{LESSON}/hints.md", "ch00_double: there is no hints.md"),
        (
            f"{LESSON}/right_fixes/shift.py",
            "ch00_double: 3 fixes of other kinds are needed in right_fixes, got 2",
        ),
        (
            f"{LESSON}/wrong_fixes/square.py",
            "ch00_double: 3 tempting fixes are needed in wrong_fixes, got 2",
        ),
        ("notebooks/00_double.ipynb", "ch00_double: there is no 00_double.ipynb: `labkit build` makes it"),
    ],
)
def test_what_is_missing_is_named(name: str, fault: str, course: Path) -> None:
    (course / name).unlink()

    assert faults_of(course) == [fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def (:\n", "square.py can't be read: invalid syntax"),
        (
            f"import asyncio\n{wrong('number', FOUR)}",
            "square.py does not say what it tries, what it fails, and why",
        ),
        (wrong("number", FOUR).replace("Because", "Since"), "square.py does not say what it tries"),
        (wrong("number", "it"), "square.py does not say what it tries"),
    ],
)
def test_a_wrong_fix_that_does_not_declare_itself_is_named(text: str, fault: str, course: Path) -> None:
    (course / LESSON / "wrong_fixes" / "square.py").write_text(text)

    [found] = faults_of(course)
    assert fault in found


@pytest.mark.parametrize("entry", ["minutes = 5\n", 'objectives = ["double"]\n', 'title = "Double"\n'])
def test_an_index_without_minutes_title_or_objectives_is_refused(entry: str, course: Path) -> None:
    (course / "lessons/index.toml").write_text(INDEX.replace(entry, ""))

    with pytest.raises(InvalidSetting, match=r"index.toml can't be read"):
        load_lessons(course)


@pytest.mark.parametrize("text", [f"{HINTS}\nA pair is what `return number` is not.\n", "# H\n\n## 1\n\nreturn\n"])
def test_a_hint_may_say_what_stands_in_the_exercise_anyway(text: str, course: Path) -> None:
    (course / LESSON / "hints.md").write_text(text)

    assert faults_of(course) == []


def test_a_hint_that_says_a_line_in_another_spelling_is_found(course: Path) -> None:
    solution = SOLUTION.replace("return", 'print("it is",\n          number)\n    return')
    (course / LESSON / "solution.py").write_text(solution)
    (course / LESSON / "hints.md").write_text("# Hints\n\n## 1\n\nSay `print('it is', number)` first.\n")

    assert faults_of(course) == ["ch00_double: a hint tells a line of the solution: print('it is', number)"]


# `pytest lessons` does the same.


@pytest.mark.push
def test_pytest_collects_every_file_of_the_course_and_none_of_the_exercises_own_tests() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "lessons", "--collect-only", "-q", "-m", "", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    collected = [line for line in finished.stdout.splitlines() if "::" in line]
    names = [attempt.name for exercise in load_exercises(ROOT) for attempt in attempts_of(exercise)]

    assert finished.returncode == 0, finished.stdout
    assert [line for line in collected if "test_exercise.py" in line] == []
    for name in names:
        assert any(line.endswith(f"[{name}]") for line in collected)
    assert len(collected) == len(names) + 2
