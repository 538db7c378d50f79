"""`labkit diagnose`: run a program under the flight recorder, and say who held which connection."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labkit.recorder.process.diagnosis import Diagnosis

__all__ = ["diagnose"]


class LevelName(StrEnum):
    """What is recorded."""

    POOL = "pool"
    STATEMENTS = "statements"


def diagnose(
    program: Annotated[list[str], typer.Argument(metavar="SCRIPT|MODULE [ARGS]…", show_default=False)],
    module: Annotated[bool, typer.Option("-m", help="Run a module, as `python -m` does.")] = False,
    level: Annotated[
        LevelName, typer.Option(help="`statements` also times each statement, which costs some 50 µs for each.")
    ] = LevelName.POOL,
    timeout: Annotated[
        float | None, typer.Option(metavar="S", min=0, help="Stop a program that has not ended after S seconds.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON, on stdout or in the file of -o.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the report to a file; one named .json gets JSON."
        ),
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the connections over time: .svg or .html.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a trace for ui.perfetto.dev: .json.")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all that was seen: .json.")] = None,
) -> None:
    """
    Run a program as it is under the flight recorder, and report what it did wrong with its connections.

    labkit's options come first; all that follows SCRIPT or MODULE is the program's. Its input, output, arguments,
    tracebacks and exit status are what they are without labkit, but for one line of the recorder's own in a
    traceback that comes out of SQLAlchemy. The report goes to stderr after the program's last word. With `--json`
    it goes to stdout, behind what the program has printed there, or alone into the file of `-o`.

    Children that the program forks are recorded too, and so are other Pythons of the same environment that it
    starts, unless with `-I`, `-E` or `-S`. A program that is stopped after `--timeout` is first asked where each of
    its tasks and threads is. What a program has started and left running is ended after it. Ctrl-C goes to the
    program, and what is known is reported; a second Ctrl-C stops a program that does not end.

    Exit status: the program's own if that is not 0; else 1 with findings, 0 without. 1 after a time-out, 2 for
    misuse.

    **Examples**

    - `labkit diagnose shop.py --the-options-of-shop`

    - `labkit diagnose --timeout 30 --timeline shop.svg -m shop.worker`

    - `labkit services exec --provider local -- labkit diagnose shop.py`
    """
    from labkit.recorder import files
    from labkit.recorder.process import runner as programs

    files.check(output)
    files.check(timeline, ".svg", ".html")
    files.check(trace, ".json")
    files.check(record, ".json")
    diagnosis = programs.diagnose(program, module=module, level=level.value, timeout=timeout)
    report(diagnosis, json or (output is not None and output.suffix.lower() == ".json"), output)
    for path, write in ((timeline, files.write_timeline), (trace, files.write_trace), (record, files.write_record)):
        if path is not None:
            write(diagnosis, path)
    raise typer.Exit(diagnosis.status)


def report(diagnosis: Diagnosis, json: bool, output: Path | None) -> None:
    """Say what was found: as JSON or in words, in a file or here."""
    from rich.console import Console

    if json and output is None:
        print(diagnosis.to_json(), flush=True)
    elif json and output is not None:
        output.write_text(diagnosis.to_json() + "\n", encoding="utf-8")
    elif output is not None:
        with output.open("w", encoding="utf-8") as file:
            Console(file=file, width=100, color_system=None, highlight=False).print(in_words(diagnosis))
    else:
        sys.stdout.flush()
        Console(stderr=True, highlight=False).print(in_words(diagnosis))


def in_words(diagnosis: Diagnosis) -> RenderableType:
    """Return the report for a terminal: how the program ended, where it was stopped, and what was found."""
    from rich.console import Group
    from rich.text import Text

    from labkit.recorder.report import report as findings_of

    watched = diagnosis.watched()
    parts: list[RenderableType] = [Text(line, "bold yellow") for line in diagnosis.remarks()]
    parts += [Text(line) for line in diagnosis.where_it_was()]
    for process in watched:
        parts += [Text("")] if parts else []
        parts += [Text(process.title, "bold underline")] if len(watched) > 1 else []
        parts.append(findings_of(process.record, process.findings))
    return Group(*parts)
