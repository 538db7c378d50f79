"""`labkit bugs`: the broken engines, what each of them changes, and whether it does what the catalogue promises."""

from __future__ import annotations

import json as json_module
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.options import Json, ProviderName
from labkit.cli.play import play
from labkit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.bugs import Bug
    from labkit.course.trials import Trial
    from labkit.services import Services

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
    Read the catalogue of broken engines, see what each of them changes, and try them.

    **Examples**

    - `labkit bugs list`

    - `labkit bugs show registry_rebuilt`

    - `labkit bugs run registry_rebuilt`

    - `labkit bugs play shared_session`
    """,
)


class Driver(StrEnum):
    """What speaks to the database."""

    ASYNCMY = "asyncmy"
    AIOMYSQL = "aiomysql"
    AIOSQLITE = "aiosqlite"


Name = Annotated[str, typer.Argument(metavar="NAME", help="As `labkit bugs list` names it.", show_default=False)]


@app.command("list")
def list_(
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TEXT]", help="Only bugs that say this, in an error or in the catalogue."),
    ] = None,
    json: Json = False,
) -> None:
    """
    List the bugs: what a user sees, the family, the recorder's finding, and what servers must be able to do.

    Exit status: 1 if no bug says TEXT.

    **Examples**

    - `labkit bugs list`

    - `labkit bugs list "Event loop is closed"`

    - `labkit bugs list --json`
    """
    from labkit.bugs import bugs

    found = [bug for bug in bugs() if text is None or bug.says(text)]
    if json:
        print(json_module.dumps([_as_json(bug) for bug in found], indent=2))
    elif found:
        from rich.console import Console

        from labkit.cli.bug_views import list_of

        Console(highlight=False).print(list_of(found))
    else:
        print(f"labkit: No bug says {text!r}: try fewer words of the error, or see them all.", file=sys.stderr)
    raise typer.Exit(0 if found else 1)


@app.command()
def show(name: Name, json: Json = False) -> None:
    """
    Show one bug: its symptom, the lines that it changes, what it breaks, and what does and does not fix it.

    Exit status: 2 if there is no such bug.

    **Examples**

    - `labkit bugs show registry_rebuilt`

    - `labkit bugs show registry_rebuilt --json`
    """
    from labkit.bugs import find_bug

    bug = find_bug(name)
    if json:
        from labkit.bugs.difference import changed_lines, difference, seam_of

        source = {"seam": seam_of(bug), "changed_lines": changed_lines(bug), "difference": difference(bug)}
        print(json_module.dumps(_as_json(bug) | source, indent=2))
        return
    from rich.console import Console

    from labkit.cli.bug_views import page_of

    Console(highlight=False).print(page_of(bug), crop=False)


@app.command()
def run(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One bug.", show_default=False)] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every bug of the catalogue.")] = False,
    provider: ProviderName = None,
    driver: Annotated[
        Driver | None, typer.Option(help="What speaks to the database; aiosqlite is for the provider sqlite.")
    ] = None,
    repeat: Annotated[int, typer.Option(metavar="N", min=1, help="Play everything so often.")] = 1,
    stress: Annotated[bool, typer.Option("--stress", help="Keep every processor busy besides.")] = False,
    json: Json = False,
) -> None:
    """
    Play what a bug breaks on the broken engine and on the correct one, and compare with the catalogue.

    Promised are the clauses that are broken, what the flight recorder finds, and the texts that a person sees; on
    the correct engine every clause is kept and nothing is found. What these servers can't show is not run, and
    never counted as seen. Each bug is printed as soon as its rounds are over, as JSON too: a long run that is
    stopped keeps what it has seen.

    Exit status: 0 if all that was run was seen as promised, 1 if not, or if nothing could be run, 2 for misuse.

    **Examples**

    - `labkit bugs run registry_rebuilt`

    - `labkit bugs run registry_rebuilt --driver aiomysql --repeat 20`

    - `labkit bugs run --all --repeat 100 --stress`

    - `labkit bugs run --all --provider local --json`
    """
    from labkit.bugs import bugs, find_bug
    from labkit.course.stress import busy_processors
    from labkit.course.trials import with_driver
    from labkit.services import services_in_thread

    if (name is None) is not all_:
        raise InvalidInput("Expected the name of one bug, or --all.", remedy="See `labkit bugs list`.")
    chosen = bugs() if name is None else [find_bug(name)]
    began = time.perf_counter()
    provider = provider or ("sqlite" if driver is Driver.AIOSQLITE else None)
    with services_in_thread(provider) as services, busy_processors() if stress else nullcontext():
        trials = _try_all(chosen, with_driver(services, driver.value) if driver else services, repeat)
        ended = list(_print_as_array(trials) if json else _print_as_tables(trials))
    if not json:
        _print_end(ended, services, time.perf_counter() - began)
    played = [each for each in ended if not each.not_run]
    raise typer.Exit(0 if played and all(each.as_promised for each in played) else 1)


app.command()(play)


def _try_all(chosen: list[Bug], services: Services, repeat: int) -> Iterator[Trial]:
    from rich.console import Console

    from labkit.course.trials import try_bug

    with Console(stderr=True).status("…") as status:
        for number, bug in enumerate(chosen, 1):

            def tell(round_: int, clause: str, about: str = f"{bug.name} ({number} of {len(chosen)})") -> None:
                rounds = f", round {round_} of {repeat}" if repeat > 1 else ""
                status.update(f"{about}{rounds}: {clause} …")

            yield try_bug(bug, services, repeat, tell)


def _print_as_tables(trials: Iterator[Trial]) -> Iterator[Trial]:
    from rich.console import Console

    from labkit.cli.bug_views import trial_of

    console = Console(highlight=False)
    for trial in trials:
        console.print(trial_of(trial))
        yield trial


def _print_as_array(trials: Iterator[Trial]) -> Iterator[Trial]:
    """Print each trial as soon as it is over, and a whole array even when a run of hours is stopped."""
    print("[", end="")
    comma = ""
    try:
        for trial in trials:
            value = json_module.dumps(asdict(trial) | {"as_promised": trial.as_promised}, indent=2)
            # In one piece: Ctrl-C may come after any line of this.
            print(f"{comma}\n{value}", end="", flush=True)
            comma = ","
            yield trial
    finally:
        print("\n]", flush=True)


def _print_end(trials: list[Trial], services: Services, seconds: float) -> None:
    servers = ", ".join(f"{name} {version}" for name, version in services.versions.items())
    played = [each for each in trials if not each.not_run]
    seen = sum(each.as_promised for each in played)
    left = f", {len(trials) - len(played)} not run" if len(played) < len(trials) else ""
    driver = f", {trials[0].driver}" if trials else ""
    print(
        f"{seen} of {len(played)} bugs seen as promised{left} on {services.provider} ({servers}{driver}), "
        f"{seconds:.1f} s"
    )


def _as_json(bug: Bug) -> dict[str, object]:
    return bug.model_dump(mode="json", by_alias=True)
