"""`labkit bugs play`: the learner is the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.options import ProviderName
from labkit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from labkit.bugs import Bug
    from labkit.contract import Clause
    from labkit.course.board import Board

__all__ = ["play"]


def play(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `labkit bugs list` names it.")],
    clause: Annotated[
        str | None,
        typer.Option(metavar="PROMISE", help="One of the promises it breaks; the first that can be played."),
    ] = None,
    provider: ProviderName = None,
) -> None:
    """
    Be the scheduler: at each point choose which task goes on, and see what comes of that order.

    The tasks are real, on the real driver: they stop where another one could come first, and you see who has which
    session and who holds a connection. At the end the correct engine plays the same order.

    Exit status: 0 when the tasks came to their end, whatever came of it; 1 when you left; 2 for misuse.

    **Examples**

    - `labkit bugs play shared_session`

    - `labkit bugs play cached_before_commit --provider local`

    - `yes 1 | labkit bugs play shared_session`
    """
    from rich.console import Console

    from labkit.bugs import find_bug
    from labkit.cli.bug_views import end_of
    from labkit.course.play import Leave, play_by_hand
    from labkit.engine import Engine
    from labkit.services import services_in_thread

    bug = find_bug(name)
    chosen = _find_clause(bug, clause)
    console = Console(highlight=False)
    with services_in_thread(provider) as services:
        console.print(f"[bold]{bug.name}[/]: {bug.symptom}\nPromised: {chosen.sentence}. {chosen.meaning}")
        try:
            played = play_by_hand(chosen, bug.engine_class, services, _chooser(console))
        except Leave:
            console.print("Left: the tasks were cancelled, and what they held was given back.")
            raise typer.Exit(1) from None
        correct = play_by_hand(chosen, Engine, services, _again(played.passed))
        console.print(end_of(chosen, played, correct))


def _find_clause(bug: Bug, name: str | None) -> Clause:
    from labkit.bugs import bugs
    from labkit.course.play import playable

    found = playable(bug)
    if not found:
        others = ", ".join(other.name for other in bugs() if playable(other))
        raise InvalidInput(
            f"{bug.name} does not depend on which task goes first: there is nothing to choose.",
            remedy=f"See it with `labkit bugs run {bug.name}`, or play one of: {others}.",
        )
    for each in found if name else found[:1]:
        if name in (None, each.name):
            return each
    raise InvalidInput(
        f"{bug.name} has no promise {name!r} that can be played.",
        remedy=f"Use one of: {', '.join(each.name for each in found)}.",
    )


def _chooser(console: Console) -> Callable[[Board], str]:
    from labkit.cli.bug_views import board_of
    from labkit.course.play import Leave

    def choose(board: Board) -> str:
        console.print(board_of(board))
        choices = f"1 to {len(board.points)}" if len(board.points) > 1 else "1"
        while True:
            try:
                answer = console.input(f"Who goes on? {choices}, or q to leave: ").strip().lower()
            except EOFError:
                raise Leave from None
            if answer in ("q", "quit"):
                raise Leave
            if answer.isdecimal() and 1 <= int(answer) <= len(board.points):
                return board.points[int(answer) - 1]
            console.print(f"{answer!r} is no choice here.", style="yellow", markup=False)

    return choose


def _again(order: tuple[str, ...]) -> Callable[[Board], str]:
    """Return what chooses in this order; what never comes to a point in it is passed over."""

    def choose(board: Board) -> str:
        return min(board.points, key=lambda point: order.index(point) if point in order else len(order))

    return choose
