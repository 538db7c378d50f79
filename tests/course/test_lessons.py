"""Lessons are found by their names, and their index says what is on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.bugs import bugs
from labkit.course import lessons
from labkit.course.contents import CONTENTS
from labkit.course.lessons import Lesson, choose, find_checkout, load_lessons
from labkit.errors import InvalidInput, InvalidSetting
from labkit.recorder import CODES

ROOT = Path(__file__).parents[2]


def lesson(name: str) -> Lesson:
    return Lesson(name, name, 1, ("see",), Path("lessons", name), Path("notebooks", f"{name}.ipynb"))


LESSONS = [lesson("00_the_story"), lesson("01_loops"), lesson("02_pools")]


def test_the_checkout_is_where_labkit_runs_from() -> None:
    assert find_checkout() == ROOT


def test_without_one_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "__file__", str(tmp_path / "labkit" / "course" / "lessons.py"))
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInput, match="Clone labkit's repository"):
        find_checkout()


def test_an_installed_labkit_finds_the_clone_it_is_run_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "__file__", str(tmp_path / "labkit" / "course" / "lessons.py"))
    monkeypatch.chdir(ROOT / "tests")

    assert find_checkout() == ROOT


def test_the_index_names_every_lesson_on_disk_and_no_other() -> None:
    found = load_lessons(ROOT)

    assert {each.text for each in found} == set((ROOT / "lessons").glob("*/lesson.md"))
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {CONTENTS, *(each.notebook.name for each in found)} == notebooks
    assert all(each.minutes > 0 and each.objectives and each.title for each in found)


def test_the_lessons_that_findings_and_bugs_name_are_there() -> None:
    named = {code.lesson for code in CODES.values()} | {bug.lesson for bug in bugs()}

    assert named <= {each.folder.name for each in load_lessons(ROOT)}


@pytest.mark.parametrize("index", ["no toml", "x = 1", "[[lesson]]\nfolder = 'ch00'", "lesson = 3"])
def test_an_index_that_cannot_be_read_is_named(index: str, tmp_path: Path) -> None:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "index.toml").write_text(index)

    with pytest.raises(InvalidSetting, match=r"index\.toml can't be read"):
        load_lessons(tmp_path)


def test_without_names_all_are_chosen() -> None:
    assert choose(LESSONS, []) == LESSONS


@pytest.mark.parametrize(
    "name",
    ["01_loops", "01_loops.ipynb", "notebooks/01_loops.ipynb", "ch01_loops", "01", "loops"],
)
def test_a_lesson_is_chosen_by_any_of_its_names(name: str) -> None:
    assert choose(LESSONS, [name]) == [LESSONS[1]]


def test_they_come_in_the_order_of_the_course_and_once() -> None:
    assert choose(LESSONS, ["02", "00", "02_pools"]) == [LESSONS[0], LESSONS[2]]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"no notebook '01_lops'. Did you mean 01_loops"):
        choose(LESSONS, ["01_lops"])


def test_a_name_like_none_is_answered_with_all() -> None:
    with pytest.raises(InvalidInput, match="There are: 00_the_story, 01_loops, 02_pools"):
        choose(LESSONS, ["xyzzy"])
