"""The report: every finding in words, for a terminal, a pipe or a log."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labkit.recorder.finding import Finding
from labkit.recorder.report.details import facts
from labkit.recorder.report.summary import faults, headline, held, watched
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Record

__all__ = ["report", "report_text"]


def report(record: Record, findings: list[Finding]) -> RenderableType:
    """
    Return the findings for a Rich console, root causes first, then what was watched.

    Nothing is said by colour alone, and nothing that the program named can act on the terminal.
    """
    colour = "red" if findings else "yellow" if record.holders() or not record.pools else "green"
    parts: list[RenderableType] = [Text(headline(record, findings), f"bold {colour}")]
    for number, finding in enumerate(findings, start=1):
        parts += [Text(""), *_finding(record, finding, str(number))]
    return Group(*parts, *_end(record, findings))


def report_text(record: Record, findings: list[Finding], width: int = 100) -> str:
    """Return the report as plain text of at most `width` columns."""
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(report(record, findings))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _finding(
    record: Record, finding: Finding, number: str, cause: Finding | None = None
) -> Iterator[RenderableType]:
    indent = (0, 0, 0, len(number) + 2)
    title = Text.assemble((number, "bold"), "  ", (plain(finding.code, 60), "bold red"))
    yield title.append(f"  {finding.times} times") if finding.times > 1 else title
    yield Padding(Text(plain(finding.summary)), indent)
    yield Padding(_rows(facts(record, finding, cause)), indent)
    if finding.consequences:
        yield Padding(Text("what followed from it:", "dim"), indent)
    for place, consequence in enumerate(finding.consequences, start=1):
        yield Padding(Group(*_finding(record, consequence, f"{number}.{place}", finding)), indent)


def _rows(facts: list[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=6, justify="right")
    grid.add_column(overflow="fold", ratio=1)
    before = ""
    for label, words in facts:
        grid.add_row("" if label == before else label, Text(words, "cyan" if label == "at" else ""))
        before = label
    return grid


def _end(record: Record, findings: list[Finding]) -> Iterator[RenderableType]:
    if (holding := held(record)) and not (findings and record.ended):
        yield Text("\nnever returned:" if record.ended else "\nheld at this moment:")
        yield from (Padding(Text(line), (0, 0, 0, 2)) for line in holding)
    if record.pools:
        yield Text(f"\n{watched(record)}", "dim")
    if failed := faults(record):
        yield Text("\nThe recorder itself failed here; the program was not told:", "yellow")
        yield from (Padding(Text(line), (0, 0, 0, 2)) for line in failed)
