"""`labkit tour`: the story, step by step."""

from __future__ import annotations

import json as json_module
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.options import Json, ProviderName

if TYPE_CHECKING:
    from rich.console import Console

    from labkit.course.tour import Step
    from labkit.services import Services

__all__ = ["tour"]

NEXT = """
What to do next
  labkit bugs show registry_rebuilt  the lines that make the difference
  labkit lab                         the course, from the first loop to the cure
  labkit diagnose SCRIPT             who holds a connection in your own program"""


def tour(
    provider: ProviderName = None,
    json: Json = False,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw what is printed.")] = None,
) -> None:
    """
    Tell the story in eight steps, each *expected* beside *seen*.

    A test saves a user, saves the same user again, expects an integrity error, and gets another error besides.

    Exit status: 0 if every step was as expected, 1 if not, 2 if the servers can't start.

    **Examples**

    - `labkit tour` needs nothing but Python

    - `labkit tour --provider containers` uses real MySQL and Redis in Docker
    """
    from rich.console import Console

    from labkit.course.tour import tell
    from labkit.recorder import files
    from labkit.services import services_in_thread

    if svg is not None:
        files.check(svg, ".svg")
    console = Console(highlight=False, record=svg is not None, width=100 if svg else None)
    progress = Console(stderr=True)
    began = time.perf_counter()
    steps = []
    with services_in_thread(provider) as services, progress.status("playing the first scenes …") as status:
        for step in tell(services):
            steps.append(step)
            if not json:
                print_step(console, step)
            status.update(f"step {step.number} of 8 …")
        seconds = time.perf_counter() - began
    as_told = all(step.as_told for step in steps)
    if json:
        found = {"provider": services.provider, "versions": dict(services.versions), "as_told": as_told}
        print(json_module.dumps(found | {"steps": [asdict(step) for step in steps]}, indent=2))
    else:
        print_end(console, steps, services, seconds)
    if svg:
        # Rich names a font to be loaded from elsewhere; a picture in a README must stand alone.
        picture = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="labkit tour"), flags=re.DOTALL)
        svg.write_text(picture, encoding="utf-8")
    raise typer.Exit(0 if as_told else 1)


def print_step(console: Console, step: Step) -> None:
    """Print one step: what one expects, and what was seen."""
    from rich.table import Table
    from rich.text import Text

    told = Text("as expected", "green") if step.as_told else Text("NOT as expected", "bold red")
    console.print(Text(f"\n{step.number}  {step.title}  ", "bold").append_text(told))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=11, justify="right")
    grid.add_column(overflow="fold")
    grid.add_row("expected", Text(step.expected))
    for i, seen in enumerate(step.seen):
        line = Text(seen)
        line.highlight_words(["RuntimeError: Event loop is closed"], "bold red")
        grid.add_row("seen" if i == 0 else "", line)
    if step.differs:
        grid.add_row("differs", Text(step.differs))
    console.print(grid)


def print_end(console: Console, steps: list[Step], services: Services, seconds: float) -> None:
    """Print how many steps were as expected, on which servers."""
    servers = ", ".join(f"{name} {version}" for name, version in services.versions.items())
    told = sum(step.as_told for step in steps)
    console.print(f"\n{told} of {len(steps)} steps as expected on {services.provider} ({servers}), {seconds:.1f} s")
    if console.is_terminal and not console.record:
        console.print(NEXT)
