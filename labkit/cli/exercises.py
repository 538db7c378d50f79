"""`labkit check`, `hint`, `solution`, `reset` and `list`: the exercises of the course."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.options import Json, ProviderName
from labkit.errors import InvalidInput

if TYPE_CHECKING:
    from labkit.course.examination import Examination
    from labkit.course.exercises import Exercise
    from labkit.course.progress import ProgressFile

__all__ = ["Name", "check", "hint", "list_", "reset", "solution"]

Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="As `labkit list` names it, or its number; the next one without."),
]
ENVIRONMENT = 2


def check(
    name: Name = None,
    provider: ProviderName = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Another person's files, to be judged and not remembered."),
    ] = None,
    json: Json = False,
) -> None:
    """
    Judge your fix by what it does: what was expected, what was found, and then what may help.

    Your files are in `exercises/`, made when you first ask for them; edit them with whatever you like. With `--dir`
    and no name every exercise is judged whose file is in that folder.

    Exit status: 0 if it passed, or all did, 1 if not, 2 if the servers failed or there is no such exercise.

    **Examples**

    - `labkit check ch04`

    - `labkit check --dir ~/students/ada`

    - `labkit check ch04 --dir ~/students/ada --json`
    """
    from rich.console import Console

    from labkit.course.examination import examine
    from labkit.course.examiner import sentence
    from labkit.services import services_in_thread

    if folder is not None:
        wanted = _files_in(folder, name)
    else:
        from labkit.course.exercises import own_file

        exercise, progress, work = _chosen(name)
        wanted = {own_file(exercise, work): exercise}
    tried = []
    with services_in_thread(provider) as services, Console(stderr=True).status("…") as status:
        for file, exercise in wanted.items():
            found = examine(exercise, file, services, on_test=lambda test: status.update(f"{sentence(test)} …"))
            tried.append(found)
            if not json:
                _print_examination(exercise, found, alone=folder is None)
    if json:
        told = [asdict(each) for each in tried]
        print(json_module.dumps(told if folder is not None and name is None else told[0], indent=2, default=str))
    elif len(tried) > 1:
        print(f"\n{sum(each.verdict == 'passed' for each in tried)} of {len(tried)} exercises passed")
    if folder is None:
        progress.change(lambda each: each.keep(tried[0]))
    verdicts = {each.verdict for each in tried}
    raise typer.Exit(ENVIRONMENT if "environment problem" in verdicts else 0 if verdicts == {"passed"} else 1)


def _files_in(folder: Path, name: str | None) -> dict[Path, Exercise]:
    """Return the exercises whose files are in a given folder, or the one that is named, there or not."""
    from labkit.course.exercises import find_exercise, load_exercises
    from labkit.course.lessons import find_checkout

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder.", param_hint="--dir")
    exercises = load_exercises(find_checkout())
    if name is not None:
        exercise = find_exercise(exercises, name)
        return {folder / f"{exercise.name}.py": exercise}
    found = {file: each for each in exercises if (file := folder / f"{each.name}.py").is_file()}
    if not found:
        raise InvalidInput(
            f"{folder} has no file of an exercise.", remedy=f"They are called {exercises[0].name}.py and so on."
        )
    return found


def _print_examination(exercise: Exercise, found: Examination, *, alone: bool) -> None:
    from rich.console import Console

    from labkit.course.views import examination_of

    number = exercise.name.partition("_")[0]
    if alone:
        print(f"your file  {found.file}", file=sys.stderr)
    Console(highlight=False).print(examination_of(exercise, found))
    if alone and found.verdict == "passed":
        print(f"\nWhy it works, and what does not: labkit solution {number}")
    elif alone and found.verdict == "not attempted":
        print(f"\nOpen your file in an editor, fix it, and check again. If you are stuck: labkit hint {number}")


def hint(name: Name = None) -> None:
    """
    Show the next hint of an exercise, and after the last one the lines of a fix, to be put in order.

    **Examples**

    - `labkit hint`

    - `labkit hint ch04`
    """
    exercise, progress, _ = _chosen(name)
    if name is None:
        print(f"{exercise.name}  {exercise.title}", file=sys.stderr)
    print(progress.next_hint(exercise))


def solution(name: Name = None) -> None:
    """
    Show the author's fix of an exercise: why it works, what else is right, and what is not.

    **Examples**

    - `labkit solution ch04`
    """
    from rich.console import Console

    from labkit.course.views import solution_of

    exercise, progress, _ = _chosen(name)
    Console(highlight=False).print(solution_of(exercise), crop=False)
    progress.change(lambda each: each.see_solution(exercise.name))


def reset(name: Annotated[str, typer.Argument(metavar="NAME", help="Which exercise.")]) -> None:
    """
    Begin an exercise anew; what you have written is kept beside it.

    **Examples**

    - `labkit reset ch04`
    """
    from labkit.course import exercises

    exercise, _, work = _chosen(name)
    kept = exercises.reset(exercise, work)
    print(f"{exercise.name} is as it was at the beginning" + (f"; your file is {kept}" if kept else ""))


def list_(json: Json = False) -> None:
    """
    List the exercises, and what you have done of each.

    **Examples**

    - `labkit list`

    - `labkit list --json`
    """
    from rich.console import Console

    from labkit.course.exercises import load_exercises
    from labkit.course.lessons import find_checkout
    from labkit.course.views import list_of

    exercises = load_exercises(find_checkout())
    progress = _progress().read()
    if json:
        done = {each.name: progress.done(each.name).model_dump(mode="json") for each in exercises}
        print(json_module.dumps(done, indent=2))
    else:
        Console(highlight=False).print(list_of(exercises, progress))


def _chosen(name: str | None) -> tuple[Exercise, ProgressFile, Path]:
    """Return the exercise that is meant, the learner's progress, and the folder of the learner's files."""
    from labkit.course.exercises import WORK, find_exercise, load_exercises, next_exercise
    from labkit.course.lessons import find_checkout, find_home

    progress, work = _progress(), find_home() / WORK
    exercises = load_exercises(find_checkout())
    if name is not None:
        return find_exercise(exercises, name), progress, work
    return next_exercise(exercises, progress.read().passed()), progress, work


def _progress() -> ProgressFile:
    from labkit.course.lessons import find_home
    from labkit.course.progress import ProgressFile

    return ProgressFile(find_home(), lambda words: print(f"labkit: {words}", file=sys.stderr))
