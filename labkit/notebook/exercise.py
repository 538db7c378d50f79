"""Exercises and predictions in a notebook: `%%exercise`, `check()`, `hint()`, `solution()`, `predict()`."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from labkit.notebook.checked import html_of, html_of_solution, prose
from labkit.notebook.servers import get_services

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from labkit.course.examination import Examination
    from labkit.course.exercises import Exercise
    from labkit.course.progress import ProgressFile

__all__ = [
    "Checked",
    "Note",
    "Solved",
    "check",
    "exercise_magic",
    "hint",
    "measured",
    "predict",
    "solution",
    "story_folder",
]

_current: list[str] = []  # the exercise of the last `%%exercise`
_written: dict[Path, str] = {}  # what the cells of this notebook have put into the learner's files


@dataclass(frozen=True)
class Note:
    """A few words under a cell."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<div style="padding:.2em 0;white-space:pre-wrap">{prose(self.text)}</div>'


@dataclass(frozen=True)
class Checked:
    """What came of an exercise: what was expected, what was found, and then what may help."""

    exercise: Exercise
    found: Examination

    def require(self) -> None:
        """Raise `AssertionError` unless it has passed: for a notebook that is graded by its cells."""
        if self.found.verdict != "passed":
            failed = self.found.first_failed
            raise AssertionError(f"{self.found.verdict}: {self.found.text or (failed.text if failed else '')}")

    def __repr__(self) -> str:
        from labkit.course.views import examination_of

        return _as_in_a_terminal(examination_of(self.exercise, self.found))

    def _repr_html_(self) -> str:
        return html_of(self.exercise, self.found)


@dataclass(frozen=True)
class Solved:
    """The author's fix of an exercise, why it works, what else is right, and what is not."""

    exercise: Exercise

    def __repr__(self) -> str:
        from labkit.course.views import solution_of

        return _as_in_a_terminal(solution_of(self.exercise))

    def _repr_html_(self) -> str:
        return html_of_solution(self.exercise)


def exercise_magic(line: str, cell: str) -> Checked:
    """Keep the code of this cell as your file of the exercise `%%exercise NAME`, and judge it by what it does."""
    from labkit.course.exercises import keep_aside

    exercise, _, file = _find(line.strip() or None)
    code, begun = cell.strip(), exercise.broken.read_text("utf-8").strip()
    if file.read_text("utf-8", errors="replace").strip() in (code, begun, _written.get(file)):
        _write(file, code)
    elif code != begun:
        print(f"{file.name} had another fix, which is kept as {keep_aside(file).name}.")
        _write(file, code)
    else:  # a learner who runs all cells has fixed it elsewhere, in an editor
        print(f"The cell is as it was, and {file} is not: the file is judged. `labkit reset` begins anew.")
    return check(exercise.name)


def _write(file: Path, code: str) -> None:
    file.write_text(code + "\n", "utf-8")
    _written[file] = code


def check(name: str | None = None) -> Checked:
    """Judge your file of an exercise: that of the last `%%exercise` cell, or the one named."""
    from labkit.course.examination import examine

    exercise, progress, file = _find(name)
    found = examine(exercise, file, get_services())
    progress.change(lambda each: each.keep(found))
    return Checked(exercise, found)


def hint(name: str | None = None) -> Note:
    """Show the next hint, and after the last one the lines of a fix, to be put in order."""
    exercise, progress, _ = _find(name)
    return Note(progress.next_hint(exercise))


def solution(name: str | None = None) -> Solved:
    """Show the author's fix, why it works, what else is right, and what is not."""
    exercise, progress, _ = _find(name)
    progress.change(lambda each: each.see_solution(exercise.name))
    return Solved(exercise)


def predict(what: str, expected: Any = ...) -> Note:
    """Keep what you expect, in place of `...`, before you run the next cell, if you like."""
    words = "" if isinstance(expected, EllipsisType) else str(expected)
    _file().change(lambda progress: progress.predict(what, words))
    return Note(
        f"you expect {what}: {words}" if words else f"{what}: nothing expected; write a guess in place of ..."
    )


def measured(what: str, found: Any) -> Note:
    """
    Show what was measured beside what you expected; return both as a note.

    Who writes `2, 2` or `[2, 2]` where `(2, 2)` is measured has expected it: only the words count.
    """
    told: list[str] = []
    _file().change(lambda progress: told.append(progress.measure(what, str(found))))
    expected = told[0]
    if not expected:
        return Note(f"{what}\n  measured: {found}")
    same = "as you expected" if _is_same(expected, str(found)) else "not what you expected"
    return Note(f"{what}\n  expected: {expected}\n  measured: {found}   ({same})")


def story_folder() -> Path:
    """Return the folder with your own copy of the story's program, which you may change; it is made once."""
    from labkit.course.exercises import own_story
    from labkit.course.lessons import find_checkout, find_home

    return own_story(find_checkout(), find_home())


def _is_same(one: str, other: str) -> bool:
    # Not the upper case, nor brackets, quotes and commas. What has no words, such as `[]`, is compared as it is.
    words, others = (re.findall(r"-?\w+", text.casefold()) for text in (one, other))
    return words == others if words else one.strip() == other.strip()


def _as_in_a_terminal(told: RenderableType) -> str:
    from rich.console import Console

    # In a notebook Rich would display by itself.
    file = io.StringIO()
    Console(file=file, width=100, no_color=True, highlight=False, force_jupyter=False).print(told)
    return file.getvalue().rstrip()


def _find(name: str | None) -> tuple[Exercise, ProgressFile, Path]:
    from labkit.course.exercises import WORK, find_exercise, load_exercises, next_exercise, own_file
    from labkit.course.lessons import find_checkout, find_home

    exercises, progress = load_exercises(find_checkout()), _file()
    name = name or (_current[-1] if _current else None)
    chosen = find_exercise(exercises, name) if name else next_exercise(exercises, progress.read().passed())
    _current[:] = [chosen.name]
    return chosen, progress, own_file(chosen, find_home() / WORK)


def _file() -> ProgressFile:
    from labkit.course.lessons import find_home
    from labkit.course.progress import ProgressFile

    return ProgressFile(find_home(), print)
