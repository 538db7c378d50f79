"""The commands of `labkit`, put together, and what an error looks like to the person who typed one."""

from __future__ import annotations

import signal
import sys

import typer

from labkit.cli import bugs, services
from labkit.cli.build import build
from labkit.cli.diagnose import diagnose
from labkit.cli.doctor import doctor
from labkit.cli.exercises import check, hint, list_, reset, solution, verify
from labkit.cli.lab import lab
from labkit.cli.learn import learn
from labkit.cli.run import run
from labkit.cli.tour import tour
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
    help="Learn who holds a database connection, on which event loop, for which task.",
)

app.command()(tour)
app.command(context_settings={"allow_interspersed_args": False})(diagnose)
app.command()(doctor)
app.command()(lab)
app.command()(run)
app.command()(learn)
app.command("list")(list_)
app.command()(check)
app.command()(hint)
app.command()(solution)
app.command()(reset)
app.command()(build)
app.command()(verify)
app.add_typer(bugs.app, name="bugs")
app.add_typer(services.app, name="services")


def main() -> None:
    """Run the command line; a labkit error becomes one line on stderr and exit status 2."""
    # SIGTERM ends the program as Ctrl-C does, through every `finally`: servers are stopped, files removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        app()
    except LabkitError as error:
        print(f"labkit: {error}", file=sys.stderr)
        sys.exit(MISUSE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
