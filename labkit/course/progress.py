"""
Progress: what a learner has done, in a file that a person can read and edit.

    .labkit/progress.json
    {
      "version": 1,
      "exercises": {"ch04_houston": {"state": "passed", "attempts": 3, "hints": 1, "solution_seen": false}},
      "predictions": {"connections out": {"predicted": "0", "measured": "1"}}
    }

`state` is the last verdict: not attempted, failed, timed out, environment problem or passed; an exercise that has
passed stays so. What is not in the file was never tried. It is replaced as a whole, so that a crash leaves the old
one or the new one; a file that can't be read is kept under another name, and the learner is told.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labkit.course.examination import Examination
from labkit.course.exercises import Exercise
from labkit.course.lessons import writing
from labkit.course.verdict import Verdict
from labkit.errors import InvalidSetting

__all__ = ["NO_HINT_LEFT", "Done", "Predicted", "Progress", "ProgressFile"]

VERSION = 1
NO_HINT_LEFT = (
    "No hint is left. These lines are in a right fix, sorted by the alphabet and without their indentation: "
    "put them in order, and indent them. `labkit solution` shows a right fix whole."
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Done(_Part):
    """What was done with one exercise."""

    state: Verdict = Verdict.NOT_ATTEMPTED
    attempts: int = Field(default=0, ge=0)
    hints: int = Field(default=0, ge=0)
    solution_seen: bool = False


class Predicted(_Part):
    """What a learner expected, and what was measured, both as text; empty where there was nothing."""

    predicted: str = ""
    measured: str = ""


class Progress(_Part):
    """All that a learner has done."""

    version: int = Field(default=VERSION, ge=1, le=VERSION)
    exercises: dict[str, Done] = {}
    predictions: dict[str, Predicted] = {}

    def done(self, exercise: str) -> Done:
        """Return what was done with an exercise, to be changed."""
        return self.exercises.setdefault(exercise, Done())

    def keep(self, found: Examination) -> None:
        """Remember an examination."""
        done = self.done(found.exercise)
        done.attempts += found.verdict is not Verdict.NOT_ATTEMPTED
        if done.state is not Verdict.PASSED:
            done.state = found.verdict

    def see_hint(self, exercise: str, of: int) -> int:
        """Count one hint more as seen, `of` at most; return its number, which is above `of` when none is left."""
        done = self.done(exercise)
        number = min(done.hints, of) + 1
        done.hints = min(number, of)
        return number

    def see_solution(self, exercise: str) -> None:
        """Remember that the solution was looked at."""
        self.done(exercise).solution_seen = True

    def predict(self, what: str, expected: str) -> None:
        """Keep what is expected; what was measured for an earlier guess is forgotten."""
        self.predictions[what] = Predicted(predicted=expected)

    def measure(self, what: str, found: str) -> str:
        """Keep what was measured, and return what was expected."""
        known = self.predictions.setdefault(what, Predicted())
        known.measured = found
        return known.predicted

    def passed(self) -> set[str]:
        """Return the names of the exercises that have been passed."""
        return {name for name, done in self.exercises.items() if done.state is Verdict.PASSED}


class ProgressFile:
    """The file that holds a learner's progress; `on_trouble` is told in words what could not be read."""

    def __init__(self, home: Path, on_trouble: Callable[[str], None] = lambda words: None) -> None:
        self.path = home / ".labkit" / "progress.json"
        self._on_trouble = on_trouble

    def read(self) -> Progress:
        """
        Return the progress so far; none without a file.

        One that is damaged is put aside, and `on_trouble` told where. Raises `InvalidSetting` for one that a newer
        labkit has written, or that this user may not read.
        """
        try:
            found = json.loads(self.path.read_text("utf-8-sig"))  # some editors begin a file with a mark
            if isinstance(found, dict) and isinstance(found.get("version"), int) and found["version"] > VERSION:
                raise InvalidSetting(
                    f"{self.path} was written by a newer labkit (version {found['version']}).",
                    remedy="Update labkit, or move the file away.",
                )
            return Progress.model_validate(found)
        except (FileNotFoundError, NotADirectoryError):
            return Progress()
        except OSError as fault:
            raise InvalidSetting(f"{self.path} can't be read: {fault.strerror}.", remedy="Move it away.") from fault
        except (ValidationError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as damage:
            aside = self._put_aside()
            what = str(damage).splitlines()[0]
            self._on_trouble(f"{self.path} can't be read ({what}); it is kept as {aside.name}")
            return Progress()

    def change(self, change: Callable[[Progress], object]) -> Progress:
        """Read, let `change` change it, write, and return it."""
        progress = self.read()
        change(progress)
        self._write(progress)
        return progress

    def next_hint(self, exercise: Exercise) -> str:
        """Return the next hint with its number, and after the last one a puzzle; remember that it was seen."""
        hints, seen = exercise.hints(), []
        self.change(lambda progress: seen.append(progress.see_hint(exercise.name, len(hints))))
        [number] = seen
        if number > len(hints) and len(lines := exercise.lines_of_fix()) > 1:
            return "\n".join([NO_HINT_LEFT, "", *(f"    {line}" for line in lines)])
        number = min(number, len(hints))
        return f"Hint {number} of {len(hints)}: {hints[number - 1]}"

    def _write(self, progress: Progress) -> None:
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A separate file, and then one step: no reader ever sees half of it.
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix="progress-", suffix=".tmp")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(progress.model_dump_json(indent=2) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _put_aside(self) -> Path:
        places = (self.path.with_name(f"progress.damaged-{number}.json") for number in range(1, 10_000))
        aside = next(place for place in places if not place.exists())
        self.path.replace(aside)
        return aside
