"""`labkit verify`: the course, checked against itself."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from typing import Annotated

import typer

from labkit.cli.options import Json, ProviderName

__all__ = ["verify"]

LANES = 2  # files that are verified at once; none sees the others' rows and connections


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these exercises; all without.")
    ] = None,
    provider: ProviderName = None,
    json: Json = False,
) -> None:
    """
    Check the course itself: every exercise fails, every solution passes, every wrong fix fails as it should.

    Nothing may be missing, and no unknown file may be there. It is for those who write exercises.

    Exit status: 0 if all that is on disk was tried and is as it should be, 1 if not, 2 for an unknown name.

    **Examples**

    - `labkit verify`

    - `labkit verify ch04`

    - `labkit verify --provider containers`
    """
    import time

    from rich.console import Console

    from labkit.course.lessons import find_checkout
    from labkit.course.verification import verify as verify_course
    from labkit.course.views import verification_of
    from labkit.services import services_in_lanes

    checkout = find_checkout()
    began = time.perf_counter()
    with services_in_lanes(LANES, provider) as services, Console(stderr=True).status("…") as status:
        found = verify_course(
            checkout, services, names=names or (), on_attempt=lambda each: status.update(f"{each.name} …")
        )
    seconds = time.perf_counter() - began
    if json:
        tried = [
            {"exercise": attempt.exercise.name, "kind": attempt.kind, "file": attempt.path.name, **asdict(each)}
            for attempt, each in found.tried
        ]
        told = {"holds": found.holds, "faults": found.faults, "tried": tried}
        print(json_module.dumps(told, indent=2, default=str))
    else:
        Console(highlight=False).print(verification_of(found))
        faults = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        counted = f"{len(found.tried)} of {found.wanted} files tried, {faults}"
        print(f"{counted} on {services[0].provider}, {seconds:.1f} s")
    raise typer.Exit(0 if found.holds else 1)
