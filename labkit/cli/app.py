"""The commands of `labkit`, put together, and what an error looks like to the person who typed one."""

from __future__ import annotations

import io
import signal
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from labkit.cli import bugs, services
from labkit.cli.build import build
from labkit.cli.diagnose import diagnose
from labkit.cli.doctor import doctor
from labkit.cli.exercises import check, hint, list_, reset, solution
from labkit.cli.lab import lab
from labkit.cli.learn import learn
from labkit.cli.run import run
from labkit.cli.tour import tour
from labkit.cli.verify import verify
from labkit.errors import LabkitError

__all__ = ["app", "main"]

MISUSE = 2  # also when servers can't start: the person must change something
INTERRUPTED = 130  # 128 + SIGINT, as a shell says it
TERMINATED = 143  # 128 + SIGTERM

app = typer.Typer(
    name="labkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

BEGIN, LEARN, OWN, TEACH = "Begin", "Learn", "Your own programs", "Teach and write lessons"

app.command(rich_help_panel=BEGIN)(tour)
app.command(rich_help_panel=BEGIN)(doctor)
app.command(rich_help_panel=LEARN)(lab)
app.command(rich_help_panel=LEARN)(learn)
app.command("list", rich_help_panel=LEARN)(list_)
app.command(rich_help_panel=LEARN)(check)
app.command(rich_help_panel=LEARN)(hint)
app.command(rich_help_panel=LEARN)(solution)
app.command(rich_help_panel=LEARN)(reset)
app.add_typer(bugs.app, name="bugs", rich_help_panel=LEARN)
app.command(rich_help_panel=OWN, context_settings={"allow_interspersed_args": False})(diagnose)
app.add_typer(services.app, name="services", rich_help_panel=OWN)
app.command(rich_help_panel=TEACH)(run)
app.command(rich_help_panel=TEACH)(build)
app.command(rich_help_panel=TEACH)(verify)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"labkit {version('labkit')} on Python {'.'.join(map(str, sys.version_info[:3]))}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which labkit this is.")
    ] = False,
) -> None:
    """Learn who holds a database connection, on which event loop, for which task."""


def main() -> None:
    """Run the command line; an error that a person can fix becomes one line on stderr and exit status 2."""
    # SIGTERM ends the program as Ctrl-C does, through every `finally`: servers are stopped, files removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    if hasattr(signal, "SIGCHLD"):  # a process that ignores it is not told how its children ended
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no “✓” shows another character
    try:
        app()
    except LabkitError as error:
        print(f"labkit: {error}", file=sys.stderr)
        sys.exit(MISUSE)
    except OSError as fault:
        where = f"{fault.filename}: " if fault.filename else ""
        print(f"labkit: {where}{fault.strerror or fault}", file=sys.stderr)
        sys.exit(MISUSE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
