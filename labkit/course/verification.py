"""The course checked against itself: what must fail fails as declared, and what must pass passes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from labkit.course.contents import CONTENTS
from labkit.course.examination import Examination, advice_on, examine
from labkit.course.exercises import HINTS, Exercise, find_exercise, load_exercises
from labkit.course.lessons import Lesson, load_lessons
from labkit.course.verdict import Verdict
from labkit.errors import LabkitError
from labkit.services import Services

__all__ = ["Attempt", "Verification", "attempts_of", "count_files", "find_faults", "verify"]

RIGHT, WRONG = 3, 3  # fixes that every exercise keeps as the test of its tests
KNOWN = {
    "lesson.md",
    "exercise.py",
    "solution.py",
    "test_exercise.py",
    "hints.md",
    "instructor.md",
    "right_fixes",
    "wrong_fixes",
}
KNOWN_ABOVE = {"index.toml", "conftest.py", "test_course.py", "story"}  # beside the lessons' folders
SHORT = 8  # characters of a line that says nothing by itself
MENDS = "right_fixes", "wrong_fixes"
IGNORED = {"__pycache__", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class Attempt:
    """One file that an exercise must judge in one way: `fails` is the test that it must fail first, if it must."""

    exercise: Exercise
    kind: str  # broken, solution, right or wrong
    path: Path
    fails: str = ""

    @property
    def name(self) -> str:
        """Return what it is called in a table."""
        return f"{self.exercise.name}/{self.path.stem}"

    def fault(self, found: Examination) -> str:
        """Return what is wrong with what came of it, or nothing."""
        if self.kind in ("solution", "right"):
            if found.verdict is Verdict.PASSED:
                return ""
            failed = found.first_failed
            return f"should pass: {found.verdict}: {found.text or (failed and f'{failed.test}: {failed.text}')}"
        wanted = Verdict.NOT_ATTEMPTED if self.kind == "broken" else Verdict.FAILED
        if found.verdict is not wanted or found.first_failed is None:
            return f"should fail: {found.verdict} {found.text}".rstrip()
        if self.fails and found.first_failed.test != self.fails:
            return f"should fail by {self.fails}, fails by {found.first_failed.test}"
        if self.fails and self.path not in [fix.path for fix in advice_on(self.exercise, found)[:1]]:
            return "does not get the explanation that it promises"
        return ""


@dataclass(frozen=True)
class Verification:
    """What came of all attempts, of `wanted` files on disk; `faults` are complaints, each one line."""

    tried: tuple[tuple[Attempt, Examination], ...]
    wanted: int
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Return True if everything was tried, and is as it should be."""
        return not self.faults and len(self.tried) == self.wanted > 0


def verify(
    checkout: Path,
    services: Sequence[Services],
    *,
    names: Sequence[str] = (),
    on_attempt: Callable[[Attempt], None] = lambda attempt: None,
) -> Verification:
    """
    Try every exercise's broken file, its solution, its right and its wrong fixes; look through the folders.

    With `names` only these exercises are tried. Each of `services` tries one file at a time: no two share a
    database. `on_attempt` is told of each that is through. Raises `InvalidSetting` for an index that can't be read,
    and `InvalidInput` for a name that there isn't.
    """
    lessons, exercises = load_lessons(checkout), load_exercises(checkout)
    faults = [*find_faults(checkout, lessons, exercises)]
    if names:
        exercises = [find_exercise(exercises, name) for name in names]
    attempts = [attempt for exercise in exercises for attempt in attempts_of(exercise)]

    free: SimpleQueue[Services] = SimpleQueue()
    for each in services:
        free.put(each)

    def tried(attempt: Attempt) -> tuple[Attempt, Examination]:
        own = free.get()
        found = examine(attempt.exercise, attempt.path, own)
        free.put(own)
        on_attempt(attempt)
        return attempt, found

    with ThreadPoolExecutor(len(services)) as pool:
        results = tuple(pool.map(tried, attempts))
    faults += [f"{attempt.name} {fault}" for attempt, found in results if (fault := attempt.fault(found))]
    return Verification(results, sum(map(count_files, exercises)), tuple(faults))


def attempts_of(exercise: Exercise) -> list[Attempt]:
    """Return every file that an exercise must judge; none of a wrong fix that can't be read."""
    try:
        wrong = exercise.wrong_fixes()
    except LabkitError:
        wrong = []
    return [
        Attempt(exercise, "broken", exercise.broken),
        Attempt(exercise, "solution", exercise.solution),
        *(Attempt(exercise, "right", path) for path in exercise.right_fixes()),
        *(Attempt(exercise, "wrong", fix.path, fix.fails) for fix in wrong),
    ]


def count_files(exercise: Exercise) -> int:
    """Return how many files there are on disk that the exercise must judge, whatever is known of them."""
    found = [path for path in exercise.folder.rglob("*.py") if IGNORED.isdisjoint(path.parts)]
    return len([path for path in found if path != exercise.tests])


def find_faults(checkout: Path, lessons: list[Lesson], exercises: list[Exercise]) -> Iterator[str]:
    """Return what is missing in the course's folders, and what is unknown there."""
    listed = {lesson.folder.name for lesson in lessons}
    for path in sorted((checkout / "lessons").iterdir()):
        if path.name not in listed | IGNORED | KNOWN_ABOVE:
            yield f"{path.name} is not in lessons/index.toml"
    notebooks = {CONTENTS, *(lesson.notebook.name for lesson in lessons)}
    for notebook in sorted((checkout / "notebooks").glob("*.ipynb")):
        if notebook.name not in notebooks:
            yield f"{notebook.name} belongs to no lesson"
    for lesson in lessons:
        yield from (f"{lesson.folder.name}: {fault}" for fault in _faults_of_lesson(lesson))
    for exercise in exercises:
        yield from (f"{exercise.name}: {fault}" for fault in _faults_of_exercise(exercise))


def _faults_of_lesson(lesson: Lesson) -> Iterator[str]:
    if not lesson.text.is_file():
        yield "there is no lesson.md"
    if not lesson.notebook.is_file():
        yield f"there is no {lesson.notebook.name}: `labkit build` makes it"
    if lesson.minutes < 1 or not lesson.objectives:
        yield "minutes and objectives are missing in lessons/index.toml"
    if not (lesson.folder / "exercise.py").is_file():
        yield "there is no exercise.py"
    for path in sorted(lesson.folder.iterdir() if lesson.folder.is_dir() else ()):
        if path.name not in KNOWN | IGNORED:
            yield f"{path.name} belongs to nothing"


def _faults_of_exercise(exercise: Exercise) -> Iterator[str]:
    wanted = exercise.solution, exercise.tests, exercise.folder / "hints.md"
    missing = [path.name for path in wanted if not path.is_file()]
    if missing:
        yield f"there is no {', '.join(missing)}"
        return
    unread = [fault for path in (exercise.broken, exercise.solution) if (fault := _syntax(path))]
    if unread:
        yield from unread
        return
    yield from _faults_of_hints(exercise)
    if not exercise.why():
        yield "solution.py does not say why it works"
    yield from _faults_of_fixes(exercise)


def _faults_of_hints(exercise: Exercise) -> Iterator[str]:
    hints = exercise.hints()
    if not 1 <= len(hints) <= HINTS or not all(hints):
        yield f"expected 1 to {HINTS} hints, got {len(hints)}"
    said = _plain("\n".join(hints))
    told = [line for line in _new_lines(exercise) if line in said]
    if told:
        yield f"a hint tells a line of the solution: {max(told, key=len)}"


def _faults_of_fixes(exercise: Exercise) -> Iterator[str]:
    for folder in MENDS:
        for path in sorted((exercise.folder / folder).glob("*")):
            if path.suffix != ".py" and path.name not in IGNORED:
                yield f"{folder}/{path.name} belongs to nothing"
    if len(exercise.right_fixes()) < RIGHT:
        yield f"{RIGHT} fixes of other kinds are needed in right_fixes, got {len(exercise.right_fixes())}"
    try:
        wrong = exercise.wrong_fixes()
    except LabkitError as fault:
        yield str(fault)
        return
    if len(wrong) < WRONG:
        yield f"{WRONG} tempting fixes are needed in wrong_fixes, got {len(wrong)}"


def _new_lines(exercise: Exercise) -> set[str]:
    """Return the lines of code that the solution has and the exercise has not."""
    broken, solved = (_lines(path) for path in (exercise.broken, exercise.solution))
    return {line for line in solved - broken if len(line) > SHORT}


def _lines(path: Path) -> set[str]:
    # As they are written, and as they would be written on one line.
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    code = tree.body[1:] if ast.get_docstring(tree) else tree.body
    written = text.splitlines()[code[0].lineno - 1 :] if code else []
    lines = [*written, *(line for each in code for line in ast.unparse(each).splitlines())]
    return {_plain(line) for line in lines if not line.lstrip().startswith("#")}


def _plain(text: str) -> str:
    """Return a text without what may differ between two ways to write the same code."""
    return " ".join(text.replace('"', "'").split())


def _syntax(path: Path) -> str:
    try:
        ast.parse(path.read_text("utf-8"))
    except (SyntaxError, ValueError) as fault:
        return f"{path.name} can't be read: {fault}"
    return ""
