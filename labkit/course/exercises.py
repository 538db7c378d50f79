"""Exercises: a broken program to fix, its hints, the fixes that are right, and those that only look so."""

from __future__ import annotations

import ast
import difflib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from labkit.course.lessons import Lesson, load_lessons, writing
from labkit.errors import InvalidInput, InvalidSetting

__all__ = [
    "HINTS",
    "WORK",
    "Exercise",
    "WrongFix",
    "find_exercise",
    "is_untouched",
    "keep_aside",
    "load_exercises",
    "next_exercise",
    "own_file",
    "own_story",
    "reset",
]

WORK = "exercises"  # beside `lessons/` and `notebooks/`: what only a learner writes
HINTS = 3
ADVICE = 2  # more of it is not read
LIKE = 0.5  # of the code: who has written something else is not told why this fails
# What reading a file as Python raises; the last two where it is nested very deeply.
NO_PYTHON = (SyntaxError, ValueError, OSError, RecursionError, MemoryError)


@dataclass(frozen=True)
class WrongFix:
    """A tempting fix: the test that it fails, and why it is none."""

    name: str
    path: Path
    tried: str
    fails: str
    because: str


@dataclass(frozen=True)
class Exercise:
    """One exercise; all that belongs to it is in `folder`, and the learner's own file is a copy of `broken`."""

    name: str
    title: str
    minutes: int
    folder: Path

    @property
    def broken(self) -> Path:
        """Return the file that a learner begins with."""
        return self.folder / "exercise.py"

    @property
    def solution(self) -> Path:
        """Return the author's fix."""
        return self.folder / "solution.py"

    @property
    def tests(self) -> Path:
        """Return what a fix must do, as functions `test_…`."""
        return self.folder / "test_exercise.py"

    def hints(self) -> list[str]:
        """Return the hints, from the mildest on."""
        text = (self.folder / "hints.md").read_text("utf-8")
        return [part.strip() for part in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]]

    def lines_of_fix(self) -> list[str]:
        """Return the lines that the solution adds, sorted by the alphabet, without indentation: a puzzle."""
        broken, solved = (_plain_lines(path) for path in (self.broken, self.solution))
        added = (line.removeprefix("+ ").strip() for line in difflib.ndiff(broken, solved) if line.startswith("+ "))
        return sorted(filter(None, added))

    def why(self) -> str:
        """Return why the solution works: what its file says at its top."""
        return _docstring(self.solution)

    def right_fixes(self) -> list[Path]:
        """Return fixes that are made in other ways, and are as right."""
        return sorted((self.folder / "right_fixes").glob("*.py"))

    def wrong_fixes(self) -> list[WrongFix]:
        """Return the tempting ones; raises `InvalidSetting` for one that does not say what it fails, and why."""
        return [_wrong_fix(path) for path in sorted((self.folder / "wrong_fixes").glob("*.py"))]

    def advice(self, test: str, file: Path) -> list[WrongFix]:
        """Return the tempting fixes that fail this test and are like `file`, the most like it first."""
        found = {fix: likeness(fix.path, file) for fix in self.wrong_fixes() if fix.fails == test}
        return sorted((fix for fix in found if found[fix] >= LIKE), key=lambda fix: -found[fix])[:ADVICE]


def load_exercises(checkout: Path) -> list[Exercise]:
    """Return the exercises in the order of the course; raises `InvalidSetting` for an index that can't be read."""
    return [_exercise(lesson) for lesson in load_lessons(checkout) if (lesson.folder / "exercise.py").exists()]


def _exercise(lesson: Lesson) -> Exercise:
    return Exercise(lesson.folder.name, lesson.title, lesson.minutes, lesson.folder)


def find_exercise(exercises: list[Exercise], name: str) -> Exercise:
    """Return the exercise of this name, number (`4`, `ch04`) or slug; raises `InvalidInput` with the nearest."""
    plain = Path(name).name.lower().removesuffix(".py").removeprefix("ch")
    forms: dict[str, str] = {}
    for each in exercises:
        number, _, slug = each.name.removeprefix("ch").partition("_")
        if plain in (f"{number}_{slug}", slug) or (plain.isdecimal() and int(plain) == int(number)):
            return each
        forms |= {f"{number}_{slug}": each.name, slug: each.name}
    near = dict.fromkeys(forms[form] for form in difflib.get_close_matches(plain, forms, n=3, cutoff=0.6))
    raise InvalidInput(
        f"There is no exercise {name!r}.",
        remedy=f"Did you mean {' or '.join(near)}?"
        if near
        else f"There are: {', '.join(each.name for each in exercises)}.",
    )


def next_exercise(exercises: list[Exercise], passed: Iterable[str]) -> Exercise:
    """Return the first exercise that is not among the passed ones, or the last one; raises `InvalidInput`."""
    if not exercises:
        raise InvalidInput("The course has no exercise yet.")
    done = set(passed)
    return next((each for each in exercises if each.name not in done), exercises[-1])


def own_file(exercise: Exercise, work: Path) -> Path:
    """Return the learner's file in the folder `work`, a fresh copy of the exercise if there is none yet."""
    path = work / f"{exercise.name}.py"
    with writing(path):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(exercise.broken, path)
    return path


def own_story(checkout: Path, home: Path) -> Path:
    """Return the folder of the learner's own copy of the story's program; a file that is there stays as it is."""
    folder = home / WORK / "story"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted((checkout / "lessons" / "story").glob("*.py")):
            if not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)
    return folder


def reset(exercise: Exercise, work: Path) -> Path | None:
    """Give the learner a fresh copy; return where the old one is kept, or None if nothing was changed in it."""
    path = own_file(exercise, work)
    kept = None
    with writing(path):
        if path.read_bytes() != exercise.broken.read_bytes():
            kept = keep_aside(path)
        shutil.copyfile(exercise.broken, path)
    return kept


def keep_aside(path: Path) -> Path:
    """Give the learner's file another name, that no other has; return it."""
    places = (path.with_name(f"{path.stem}.old-{number}.py") for number in range(1, 10_000))
    kept = next(place for place in places if not place.exists())
    return path.replace(kept)


def is_untouched(exercise: Exercise, path: Path) -> bool:
    """Return True if the code, comments and layout apart, is still that of the exercise."""
    try:
        return _code(path) == _code(exercise.broken)
    except NO_PYTHON:
        return False


def _code(path: Path) -> str:
    return ast.dump(ast.parse(path.read_text("utf-8")))


def likeness(one: Path, other: Path) -> float:
    """Return how much of the code of two files is the same, from 0 to 1; 0 if one can't be read."""
    try:
        one_code, other_code = map(_plain_lines, (one, other))
    except NO_PYTHON:
        return 0.0
    return difflib.SequenceMatcher(None, one_code, other_code, autojunk=False).ratio()


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def _plain_lines(path: Path) -> list[str]:
    """Return the code of a file a statement a line, without what its top says and without comments."""
    code = ast.parse(path.read_text("utf-8"))
    if ast.get_docstring(code) is not None:
        del code.body[0]
    return ast.unparse(code).splitlines()


def _wrong_fix(path: Path) -> WrongFix:
    try:
        text = _docstring(path)
    except NO_PYTHON as fault:
        raise InvalidSetting(f"{path} can't be read: {fault}.", remedy="Fix it.") from fault
    found = re.fullmatch(r"(?s)(?P<tried>.+?)\n\nFails: (?P<fails>test_\w+)\n\nBecause: (?P<because>.+)", text)
    if found is None:
        raise InvalidSetting(
            f"{path} does not say what it tries, what it fails, and why.",
            remedy='Begin it with a docstring of three parts: what is tried, "Fails: test_…", "Because: …".',
        )
    parts = {name: " ".join(part.split()) for name, part in found.groupdict().items()}
    return WrongFix(path.stem, path, **parts)
