"""`labkit run`: the notebooks, without a browser."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.extra import lab_extra
from labkit.cli.options import Json, ProviderName

if TYPE_CHECKING:
    from labkit.course.lessons import Lesson
    from labkit.course.verdict import NotebookRun
    from labkit.services import Services

__all__ = ["run"]

LANES = 2  # notebooks at once; none sees the others' rows and connections


def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Notebooks, or their numbers; all without.")
    ] = None,
    provider: ProviderName = None,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="S", help="Seconds that a cell may take.")] = 60.0,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the executed notebooks there.", file_okay=False)
    ] = None,
    json: Json = False,
) -> None:
    """
    Run notebooks from top to bottom, each on its own kernel, two at a time, and judge them.

    A cell fails when it raises, and when something fails in silence: `Exception ignored`, `never awaited`,
    `never retrieved`, a connection left to the garbage collector.

    Exit status: 0 if all passed, 1 if not, 2 if the servers can't start or there is no such notebook.

    **Examples**

    - `labkit run`

    - `labkit run 00_the_story --provider containers`
    """
    from labkit.course.lessons import choose, find_checkout, load_lessons
    from labkit.services import services_in_lanes

    lessons = choose(load_lessons(find_checkout()), names or [])
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    with lab_extra():
        import labkit.course.run  # noqa: F401  before any server starts
    with services_in_lanes(min(LANES, len(lessons)), provider) as services:
        runs = _run_all(lessons, services, timeout, output)
    if json:
        print(json_module.dumps([asdict(each) for each in runs], indent=2))
    else:
        _print(runs, services[0])
    raise typer.Exit(0 if all(each.verdict == "passed" for each in runs) else 1)


def _run_all(
    lessons: list[Lesson], services: list[Services], timeout: float, output: Path | None
) -> list[NotebookRun]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from labkit.course.run import count_cells, run_notebooks
    from labkit.notebook import environment_for_kernels
    from labkit.notebook.kernel import kernel_command

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells")
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        tasks = {
            lesson.notebook: progress.add_task(lesson.name, total=count_cells(lesson.notebook))
            for lesson in lessons
        }
        return run_notebooks(
            list(tasks),
            [environment_for_kernels(each) for each in services],
            kernel=kernel_command("--HistoryManager.enabled=False"),
            timeout=timeout,
            on_cell=lambda notebook, cells: progress.update(tasks[notebook], completed=cells),
            output=output,
        )


def _print(runs: list[NotebookRun], services: Services) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for each in runs:
        verdict = Text(each.verdict, "green" if each.verdict == "passed" else "bold red")
        ran = f"{each.cells} of {each.of} cells, {each.seconds:.1f} s"
        console.print(Text(f"{each.notebook} ", "bold"), verdict, f" {ran}")
        for fault in each.faults:
            console.print(Text(f"  {fault}"))
    passed = sum(each.verdict == "passed" for each in runs)
    console.print(f"{passed} of {len(runs)} notebooks passed on {services.provider}")
