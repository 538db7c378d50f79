"""Predictions, hints and solutions in a notebook: kept in the learner's own folder, and never in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.course.lessons import find_checkout
from labkit.notebook import exercise as module
from labkit.notebook import hint, measured, predict, solution
from labkit.notebook.exercise import exercise_magic


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def progress(home: Path) -> Any:
    return json.loads((home / ".labkit" / "progress.json").read_text())


def test_a_prediction_is_shown_beside_what_was_measured(home: Path) -> None:
    assert repr(predict("complaints", 0)) == "you expect complaints: 0"
    assert repr(measured("complaints", 4)).split("\n") == [
        "complaints",
        "  expected: 0",
        "  measured: 4   (not what you expected)",
    ]
    assert progress(home)["predictions"] == {"complaints": {"predicted": "0", "measured": "4"}}


def test_who_was_right_is_told_so() -> None:
    predict("rows", 1)
    assert repr(measured("rows", 1)).endswith("(as you expected)")


@pytest.mark.parametrize(
    ("guess", "found"),
    [
        ([2, 2], (2, 2)),
        ("2,2", (2, 2)),
        ("An error", "an error"),
        ("'ada' and bob", "Ada and Bob"),
        ("true false", (True, False)),
        ("[]", []),
    ],
)
def test_a_right_guess_may_be_written_in_other_ways(guess: object, found: object) -> None:
    predict("what", guess)
    assert repr(measured("what", found)).endswith("(as you expected)")


@pytest.mark.parametrize(
    ("guess", "found"),
    [((2, 1), (1, 2)), (1, -1), ("2", (2, 2)), ("?", []), (0, []), ("no error", "an error"), (True, 1)],
)
def test_a_wrong_guess_is_not_taken_for_a_right_one(guess: object, found: object) -> None:
    predict("what", guess)
    assert repr(measured("what", found)).endswith("(not what you expected)")


def test_who_does_not_guess_goes_on_all_the_same() -> None:
    assert "nothing expected" in repr(predict("rows", ...))
    assert repr(measured("rows", 1)) == "rows\n  measured: 1"


def test_a_guess_and_a_measurement_are_text_on_the_page() -> None:
    predict("rows", "<script>1</script>")
    page = measured("rows", "<script>2</script>")._repr_html_()

    assert "<script>" not in page
    assert "&lt;script&gt;2&lt;/script&gt;" in page


@pytest.mark.learner_path
def test_hints_come_one_after_the_other_and_a_look_at_the_solution_is_kept(home: Path) -> None:
    assert repr(hint("ch04")).startswith("Hint 1 of 3: ")
    assert repr(hint()).startswith("Hint 2 of 3: ")  # of the same exercise
    assert repr(hint()).startswith("Hint 3 of 3: ")
    assert "<code>out = engine.statistics().checked_out</code>" in hint()._repr_html_()
    assert "Other fixes that are right" in repr(solution())
    assert progress(home)["exercises"]["ch04_houston"]["hints"] == 3
    assert progress(home)["exercises"]["ch04_houston"]["solution_seen"] is True


@pytest.fixture
def run_cell(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what runs a cell of the exercise ch04 whose code is given; nothing is judged."""
    monkeypatch.setattr(module, "check", lambda name: None)
    return lambda code: exercise_magic("ch04_houston", code)  # type: ignore[func-returns-value]


BEGUN = (find_checkout() / "lessons" / "ch04_houston" / "exercise.py").read_text()


@pytest.mark.learner_path
def test_the_file_follows_the_cell_as_long_as_nobody_else_changes_it(
    home: Path, run_cell: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for code in (BEGUN, "first = 1", "second = 2", BEGUN):
        run_cell(code)
        assert (home / "exercises" / "ch04_houston.py").read_text().strip() == code.strip()

    assert [path.name for path in (home / "exercises").iterdir()] == ["ch04_houston.py"]
    assert capsys.readouterr().out == ""


def test_a_cell_that_is_as_it_was_does_not_undo_a_fix_made_in_an_editor(
    home: Path, run_cell: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    run_cell(BEGUN)
    (home / "exercises" / "ch04_houston.py").write_text("fixed = True\n")
    run_cell(BEGUN)

    assert (home / "exercises" / "ch04_houston.py").read_text() == "fixed = True\n"
    assert "the file is judged" in capsys.readouterr().out


def test_another_fix_in_the_cell_keeps_the_one_of_the_editor_aside(
    home: Path, run_cell: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    run_cell(BEGUN)
    (home / "exercises" / "ch04_houston.py").write_text("fixed = True\n")
    run_cell("fixed = 'here'")

    assert (home / "exercises" / "ch04_houston.py").read_text() == "fixed = 'here'\n"
    assert (home / "exercises" / "ch04_houston.old-1.py").read_text() == "fixed = True\n"
    assert "is kept as ch04_houston.old-1.py" in capsys.readouterr().out
