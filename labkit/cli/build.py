"""`labkit build`: the notebooks, made from the lessons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.extra import lab_extra

__all__ = ["build"]


def build(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a notebook differs.")] = False,
    solved: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write solved notebooks and instructor's notes there.", file_okay=False),
    ] = None,
) -> None:
    """
    Make the notebooks from the lessons' text.

    Exit status: 0, or with `--check` 1 if a notebook differs from its lesson.

    **Examples**

    - `labkit build`

    - `labkit build --check`

    - `labkit build --solved ~/for-instructors`
    """
    from labkit.course.lessons import find_checkout, load_lessons

    with lab_extra():
        from labkit.course import build as building

    lessons = load_lessons(find_checkout())
    if check:
        stale = building.find_stale(lessons)
        for notebook in stale:
            print(f"{notebook.name} differs from its lesson; `labkit build` makes it anew")
        raise typer.Exit(1 if stale else 0)
    made = building.build(lessons) if solved is None else building.build_solved(lessons, solved)
    for path in made:
        print(f"made {path.name}")
