"""`labkit doctor`: what this machine has and lacks."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from labkit.cli.options import Json, ProviderName

if TYPE_CHECKING:
    from labkit.course.doctor import Check

__all__ = ["doctor"]

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


def doctor(provider: ProviderName = None, json: Json = False) -> None:
    """
    Say what this machine has for the course, what it lacks, and the one line that fixes it.

    The chosen provider is really started, and stopped again.

    Exit status: 0 if it started, 1 if not.

    **Examples**

    - `labkit doctor`

    - `labkit doctor --provider containers --json`
    """
    from rich.console import Console

    from labkit.course.doctor import examine, is_fit

    with Console(stderr=True).status("looking …"):
        checks = examine(provider)
    if json:
        print(json_module.dumps({"fit": is_fit(checks), "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        _print(checks)
    raise typer.Exit(0 if is_fit(checks) else 1)


def _print(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("looked at", "state")
    for column in ("found", "what to do"):
        table.add_column(column, overflow="fold")
    for check in checks:
        # Text, not markup: what was found and what to do may hold brackets.
        table.add_row(
            check.name, Text(check.state, style=COLOURS[check.state]), Text(check.found), Text(check.remedy)
        )
    Console().print(table)
