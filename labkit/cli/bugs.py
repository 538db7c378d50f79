"""`labkit bugs`: the broken engines, what each of them changes, and whether it does what the catalogue promises."""

from __future__ import annotations

import json as json_module
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
def list_(json: Json = False) -> None:
    """
    List the bugs: what somebody sees, the family, the recorder's finding, and what servers must be able to do.

    **Examples**

    - `labkit bugs list`

    - `labkit bugs list --json`
    """
    from labkit.bugs import bugs

    found = bugs()
    if json:
        print(json_module.dumps([_as_json(bug) for bug in found], indent=2))
        return
    from rich.console import Console

    from labkit.cli.bug_views import list_of

    Console(highlight=False).print(list_of(found))


@app.command()
def show(name: Name, json: Json = False) -> None:
    """
    Show one bug: its symptom, the lines that it changes, what it breaks, and what does and does not mend it.

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

    Console(highlight=False).print(page_of(bug))


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
    never counted as seen.

    Exit status: 0 if all that was run was seen as promised, 1 if not, or if nothing could be run, 2 for misuse.

    **Examples**

    - `labkit bugs run registry_rebuilt`

    - `labkit bugs run registry_rebuilt --driver aiomysql --repeat 20`

    - `labkit bugs run --all --repeat 100 --stress`

    - `labkit bugs run --all --provider local --json`
    """
    from labkit.bugs import bugs, find_bug
    from labkit.course.stress import busy_processors
    from labkit.services import services_in_thread

    if (name is None) is not all_:
        raise InvalidInput("The name of one bug was wanted, or --all.", remedy="See `labkit bugs list`.")
    chosen = bugs() if name is None else [find_bug(name)]
    began = time.perf_counter()
    provider = provider or ("sqlite" if driver is Driver.AIOSQLITE else None)
    with services_in_thread(provider) as services, busy_processors() if stress else nullcontext():
        trials = list(_try_all(chosen, services, driver, repeat, quiet=json))
    if json:
        print(json_module.dumps([asdict(each) | {"as_promised": each.as_promised} for each in trials], indent=2))
    else:
        _print_end(trials, services, time.perf_counter() - began)
    played = [each for each in trials if not each.not_run]
    raise typer.Exit(0 if played and all(each.as_promised for each in played) else 1)


app.command()(play)


def _try_all(
    chosen: list[Bug], services: Services, driver: Driver | None, repeat: int, *, quiet: bool
) -> Iterator[Trial]:
    from rich.console import Console

    from labkit.cli.bug_views import trial_of
    from labkit.course.trials import try_bug, with_driver

    if driver is not None:
        services = with_driver(services, driver.value)
    console = Console(highlight=False)
    with Console(stderr=True).status("…") as status:
        for number, bug in enumerate(chosen, 1):
            about = f"{bug.name} ({number} of {len(chosen)})"
            trial = try_bug(
                bug,
                services,
                repeat,
                lambda clause, about=about: status.update(f"{about}: {clause} …"),  # type: ignore[misc]
            )
            if not quiet:
                console.print(trial_of(trial))
            yield trial


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
