"""`labkit services`: start servers, run a command with servers, say which there are."""

from __future__ import annotations

import asyncio
import json as json_module
import shlex
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.options import Json, ProviderName

if TYPE_CHECKING:
    from labkit.services import Services

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
    Start MySQL and Redis, or say where they could come from.

    **Examples**

    - `labkit services status`

    - `labkit services exec --provider local -- pytest`
    """,
)


@app.command()
def start(provider: ProviderName = None, json: Json = False) -> None:
    """
    Start MySQL and Redis, print where they are, and hold them until Ctrl-C or SIGTERM.

    The URLs are printed as `export` lines, passwords included, and everything else goes to stderr.

    **Examples**

    - `labkit services start`

    - `labkit services start --provider containers --json`
    """
    from labkit.services.foreground import hold_services

    def announce(services: Services) -> None:
        print(_as_json(services) if json else _as_exports(services), flush=True)
        _say(f"{_about(services)}; Ctrl-C ends them")

    _say("starting …")
    status = asyncio.run(hold_services(provider, announce))
    _say("stopped, nothing is left")
    raise typer.Exit(status)


@app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def exec_(command: Annotated[list[str], typer.Argument(metavar="CMD…")], provider: ProviderName = None) -> None:
    """
    Run a command with MySQL and Redis, and stop them after it.

    The command finds them in DATABASE_URL and REDIS_URL, labkit in LABKIT_PROVIDER, LABKIT_DATABASE_URL and
    LABKIT_REDIS_URL. Its exit status is passed on, signals are passed to it. What it has started and left running
    is ended after it.

    **Examples**

    - `labkit services exec --provider local -- pytest`

    - `labkit services exec -- python -c 'import os; print(os.environ["DATABASE_URL"])'`
    """
    from labkit.services.foreground import COMMAND_NOT_FOUND, run_with_services

    status = asyncio.run(run_with_services(command, provider, lambda services: _say(_about(services))))
    if status == COMMAND_NOT_FOUND:
        _say(f"{command[0]}: command not found")
    raise typer.Exit(status)


@app.command()
def status(json: Json = False) -> None:
    """
    Say of each provider whether it is found here, which version, and what would fix it; nothing is started.

    **Examples**

    - `labkit services status`

    - `labkit services status --json`
    """
    from labkit.services import probe, provider_names

    probes = [probe(name) for name in provider_names()]
    if json:
        print(json_module.dumps([asdict(found) for found in probes], indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("provider", "found")
    for column in ("version, or why not", "what to do"):
        table.add_column(column, overflow="fold")
    for found in probes:
        # Text, not markup: a remedy may hold brackets.
        why = Text(found.version or found.reason)
        table.add_row(found.provider, "yes" if found.found else "no", why, Text(found.remedy))
    Console().print(table)


def _about(services: Services) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in services.versions.items())
    return f"{services.provider}: {versions}"


def _as_exports(services: Services) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in services.environment().items())


def _as_json(services: Services) -> str:
    return json_module.dumps(
        {"provider": services.provider, "versions": dict(services.versions), "environment": services.environment()}
    )


def _say(text: str) -> None:
    print(f"labkit: {text}", file=sys.stderr, flush=True)
