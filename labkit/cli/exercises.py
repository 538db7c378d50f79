"""`labkit check`, `hint`, `solution`, `reset`, `list` and `verify`: the exercises of the course."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.options import Json, ProviderName

if TYPE_CHECKING:
    from labkit.course.exercises import Exercise
    from labkit.course.progress import ProgressFile

__all__ = ["check", "hint", "list_", "reset", "solution", "verify"]

Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="As `labkit list` names it, or its number; the next one without."),
]
ENVIRONMENT = 2
LANES = 2  # files that are verified at once, each on servers of its own


def check(
    name: Name = None,
    provider: ProviderName = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Somebody's files, to be judged and not remembered."),
    ] = None,
    json: Json = False,
) -> None:
    """
    Judge your mend by what it does: what was expected, what was found, and then what may help.

    Your files are in `exercises/`, made when you first ask for them; edit them with whatever you like.

    Exit status: 0 if it passed, 1 if not, 2 if the servers failed or there is no such exercise.

    **Examples**

    - `labkit check ch04`

    - `labkit check ch04 --dir ~/students/ada --json`
    """
    from rich.console import Console

    from labkit.course.examination import examine
    from labkit.course.examiner import sentence
    from labkit.course.exercises import own_file
    from labkit.course.views import examination_of
    from labkit.services import services_in_thread

    exercise, progress, work = _chosen(name)
    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder.", param_hint="--dir")
    file = own_file(exercise, work) if folder is None else folder / f"{exercise.name}.py"
    with services_in_thread(provider) as services, Console(stderr=True).status("…") as status:
        found = examine(exercise, file, services, on_test=lambda test: status.update(f"{sentence(test)} …"))
    if json:
        print(json_module.dumps(asdict(found), indent=2, default=str))
    else:
        print(f"labkit: {file}", file=sys.stderr)
        Console(highlight=False).print(examination_of(exercise, found))
        if found.verdict == "passed":
            print(f"\nWhy it works, and what does not: labkit solution {exercise.name.partition('_')[0]}")
    if folder is None:
        progress.change(lambda each: each.keep(found))
    raise typer.Exit({"passed": 0, "environment problem": ENVIRONMENT}.get(found.verdict, 1))


def hint(name: Name = None) -> None:
    """
    Show the next hint of an exercise, and after the last one the lines of a mend, to be put in order.

    **Examples**

    - `labkit hint`

    - `labkit hint ch04`
    """
    exercise, progress, _ = _chosen(name)
    print(progress.next_hint(exercise))


def solution(name: Name = None) -> None:
    """
    Show the author's mend of an exercise: why it works, what else is right, and what is not.

    **Examples**

    - `labkit solution ch04`
    """
    from rich.console import Console

    from labkit.course.views import solution_of

    exercise, progress, _ = _chosen(name)
    Console(highlight=False).print(solution_of(exercise))
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


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these exercises; all without.")
    ] = None,
    provider: ProviderName = None,
    json: Json = False,
) -> None:
    """
    Check the course itself: every exercise fails, every solution passes, every wrong mend fails as it should.

    Nothing may be missing, and nothing there that nobody knows of. It is for those who write exercises.

    Exit status: 0 if all that is on disk was tried and is as it should be, 1 if not, 2 for an unknown name.

    **Examples**

    - `labkit verify`

    - `labkit verify ch04`

    - `labkit verify --provider containers`
    """
    import time

    from rich.console import Console

    from labkit.course.lessons import find_checkout
    from labkit.course.verification import verify as verify_course
    from labkit.course.views import verification_of
    from labkit.services import services_in_lanes

    checkout = find_checkout()
    began = time.perf_counter()
    with services_in_lanes(LANES, provider) as services, Console(stderr=True).status("…") as status:
        found = verify_course(
            checkout, services, names=names or (), on_attempt=lambda each: status.update(f"{each.name} …")
        )
    seconds = time.perf_counter() - began
    if json:
        tried = [
            {"exercise": attempt.exercise.name, "kind": attempt.kind, "file": attempt.path.name, **asdict(each)}
            for attempt, each in found.tried
        ]
        told = {"holds": found.holds, "faults": found.faults, "tried": tried}
        print(json_module.dumps(told, indent=2, default=str))
    else:
        Console(highlight=False).print(verification_of(found))
        faults = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        counted = f"{len(found.tried)} of {found.wanted} files tried, {faults}"
        print(f"{counted} on {services[0].provider}, {seconds:.1f} s")
    raise typer.Exit(0 if found.holds else 1)


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
