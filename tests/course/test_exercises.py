"""An exercise is found by any of its names; the learner's own file is a copy that is never lost."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from labkit.course.exercises import (
    Exercise,
    find_exercise,
    is_untouched,
    load_exercises,
    next_exercise,
    own_file,
    reset,
)
from labkit.errors import InvalidInput, InvalidSetting

CHECKOUT = Path(__file__).parents[2]
BROKEN = "def double(number):\n    return number  # twice?\n"
WRONG = '"""\nReturn {what}.\n\nFails: {fails}\n\nBecause: it is\nanother number.\n"""\n'


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    folder = tmp_path / "lessons" / "ch00_double"
    (folder / "wrong_fixes").mkdir(parents=True)
    (folder / "exercise.py").write_text(BROKEN)
    return Exercise("ch00_double", "Double", 5, folder)


def add_wrong(exercise: Exercise, name: str, code: str, fails: str = "test_it") -> None:
    text = f"{WRONG.format(what=name, fails=fails)}\ndef double(number):\n    {code}\n"
    (exercise.folder / "wrong_fixes" / f"{name}.py").write_text(text)


@pytest.fixture
def exercises(tmp_path: Path) -> list[Exercise]:
    names = ("ch00_the_story", "ch04_houston", "ch06_the_pool", "ch10_the_cure")
    return [Exercise(name, name, 5, tmp_path / name) for name in names]


@pytest.mark.parametrize(
    "name",
    [
        "ch04_houston",
        "04_houston",
        "houston",
        "ch04",
        "04",
        "4",
        "ch4",
        "ch04_houston.py",
        "exercises/ch04_houston.py",
    ],
)
def test_an_exercise_is_found_by_any_of_its_names(exercises: list[Exercise], name: str) -> None:
    assert find_exercise(exercises, name).name == "ch04_houston"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("ch04_huston", "Did you mean ch04_houston?"),
        ("hoston", "Did you mean ch04_houston?"),
        ("the_pol", "Did you mean ch06_the_pool"),
        ("ch05", "There are: ch00_the_story, ch04_houston, ch06_the_pool, ch10_the_cure."),
        ("", "There are: ch00_the_story, "),
        ("../..", "There are: ch00_the_story, "),
        ("²", "There are: ch00_the_story, "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(exercises: list[Exercise], name: str, remedy: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        find_exercise(exercises, name)

    assert str(refused.value).startswith(f"There is no exercise {name!r}. {remedy}")


def test_the_next_exercise_is_the_first_that_is_not_passed(exercises: list[Exercise]) -> None:
    passed = {each.name for each in exercises}

    assert next_exercise(exercises, set()).name == "ch00_the_story"
    assert next_exercise(exercises, {"ch00_the_story", "ch06_the_pool"}).name == "ch04_houston"
    assert next_exercise(exercises, passed).name == "ch10_the_cure"
    with pytest.raises(InvalidInput, match="no exercise yet"):
        next_exercise([], set())


def test_the_exercises_of_the_course_are_in_its_order() -> None:
    names = [each.name for each in load_exercises(Path(__file__).parents[2])]

    assert names == sorted(names)
    assert "ch04_houston" in names


def test_the_first_file_of_a_learner_is_a_copy_and_the_second_look_changes_nothing(
    exercise: Exercise, tmp_path: Path
) -> None:
    file = own_file(exercise, tmp_path / "new" / "exercises")
    assert file.read_text() == BROKEN

    file.write_text("mine = 1\n")
    assert own_file(exercise, file.parent) == file
    assert file.read_text() == "mine = 1\n"


def test_a_reset_keeps_every_file_that_was_changed(exercise: Exercise, tmp_path: Path) -> None:
    assert reset(exercise, tmp_path) is None
    for number in (1, 2):
        own_file(exercise, tmp_path).write_text(f"mine = {number}\n")
        kept = reset(exercise, tmp_path)
        assert kept == tmp_path / f"ch00_double.old-{number}.py"
        assert kept.read_text() == f"mine = {number}\n"
        assert own_file(exercise, tmp_path).read_text() == BROKEN


@pytest.mark.parametrize(
    ("text", "untouched"),
    [
        (BROKEN, True),
        (f"# my name is Ada\n\n{BROKEN}\n\n", True),
        (BROKEN.replace("    ", "\t"), True),
        (BROKEN.replace("return number", "return 2 * number"), False),
        ("", False),
        ("def (:\n", False),
        ("x = '\x00'\n", False),
        (f"x = {'-' * 100_000}1\n", False),
        (f"x = {'+'.join('1' * 50_000)}\n", False),
    ],
    ids=["a copy", "comments", "tabs", "another", "empty", "no Python", "a null", "deep", "long"],
)
def test_only_code_that_was_not_changed_is_untouched(
    text: str, untouched: bool, exercise: Exercise, tmp_path: Path
) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)

    assert is_untouched(exercise, file) is untouched


def test_a_file_that_is_not_there_or_no_text_is_not_untouched(exercise: Exercise, tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"name = '\xff'\n")

    assert not is_untouched(exercise, tmp_path / "missing.py")
    assert not is_untouched(exercise, tmp_path / "latin.py")
    assert not is_untouched(exercise, tmp_path)


def test_the_advice_is_of_those_that_fail_alike_the_most_like_first(exercise: Exercise, tmp_path: Path) -> None:
    add_wrong(exercise, "one", "return number + 1")
    add_wrong(exercise, "loop", "for _ in range(2):\n        number += 1\n    return number")
    add_wrong(exercise, "far", "import math\n    return math.exp(number)")
    add_wrong(exercise, "other_test", "return number + 2", fails="test_other")
    file = tmp_path / "own.py"
    file.write_text("def double(number):\n    for _ in range(3):\n        number += 1\n    return number\n")

    found = exercise.advice("test_it", file)
    assert [each.name for each in found] == ["loop"]
    assert found[0].because == "it is another number."
    assert exercise.advice("test_unknown", file) == []


def test_who_has_written_something_else_is_not_told_why_others_fail(exercise: Exercise, tmp_path: Path) -> None:
    add_wrong(exercise, "one", "return number + 1")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("def double(:\n")

    for name in ("empty.py", "broken.py", "missing.py"):
        assert exercise.advice("test_it", tmp_path / name) == []


@pytest.mark.parametrize(
    "text",
    [
        "def double(number): ...\n",
        '"""Return one."""\n',
        '"""\nReturn one.\n\nFails: test_it\n"""\n',
        '"""\nReturn one.\n\nBecause: it is\n\nFails: test_it\n"""\n',
        "def (:\n",
    ],
)
def test_a_tempting_fix_that_does_not_say_why_it_is_none_is_refused(text: str, exercise: Exercise) -> None:
    (exercise.folder / "wrong_fixes" / "one.py").write_text(text)

    with pytest.raises(InvalidSetting, match=r"one\.py (does not say|can't be read)"):
        exercise.wrong_fixes()


@pytest.mark.parametrize("exercise", load_exercises(CHECKOUT), ids=lambda each: each.name)
def test_the_lines_of_a_fix_are_all_there_and_not_yet_in_order(exercise: Exercise) -> None:
    code = [line.strip() for line in ast.unparse(ast.parse(exercise.solution.read_text())).splitlines()]
    lines = exercise.lines_of_fix()

    assert lines
    assert set(lines) <= set(code)
    if len(lines) > 1:
        assert lines != [line for line in code if line in lines]
