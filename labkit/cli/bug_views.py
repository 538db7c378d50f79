"""How bugs and their trials look in a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from labkit.bugs import Bug
    from labkit.contract import Clause, Verdict
    from labkit.course.board import Board, Waits
    from labkit.course.play import PlayedByHand
    from labkit.course.trials import Comparison, Played, Trial

__all__ = ["board_of", "end_of", "list_of", "page_of", "trial_of"]

NOTHING = "nothing"


def list_of(bugs: list[Bug]) -> Table:
    """Return the catalogue as a table that is easy to read on a terminal of 80 columns."""
    table = Table(box=None, padding=(0, 2, 1, 0))
    table.add_column("bug\nfinding", no_wrap=True)
    table.add_column("what a user sees\nfamily, and what servers must be able to do")
    for bug in bugs:
        finding = (bug.finding, "yellow") if bug.finding else ("no finding", "dim")
        needs = f"{bug.family}, needs {', '.join(bug.needs)}" if bug.needs else bug.family
        table.add_row(
            Text.assemble((bug.name, "bold"), "\n", finding), Text.assemble(bug.symptom, "\n", (needs, "dim"))
        )
    return table


def page_of(bug: Bug) -> Group:
    """Return all that the catalogue and the source say of one bug."""
    from labkit.bugs.difference import difference
    from labkit.course.views import whole_code

    fixes = [Text.assemble((wrong.do, "red"), f" {wrong.why}") for wrong in bug.wrong_fixes]
    parts = {
        "breaks": _lines(Text(name.replace("_", " ")) for name in bug.breaks),
        "finding": Text(bug.finding, "yellow") if bug.finding else Text(f"none. {bug.unseen}"),
        "texts": _lines(
            Text.assemble((f"{driver:<11}", "dim"), ", ".join(bug.texts.of(driver)) or NOTHING)
            for driver in type(bug.texts).model_fields
        ),
        "needs": Text(", ".join(bug.needs) or NOTHING),
        "fix": Text(bug.fix, "green"),
        "not a fix": _lines(fixes),
        "lesson": Text(bug.lesson),
        "sources": _lines(Text(source, "blue") for source in bug.sources),
    }
    grid = _grid()
    for title, part in parts.items():
        grid.add_row(title, part)
    code = whole_code(difference(bug), "diff")
    head = Text.assemble((bug.name, "bold"), f"  {bug.family}\n{bug.symptom}")
    return Group(head, Text(), code, grid)


def trial_of(trial: Trial) -> Group:
    """Return what was seen of a bug beside what is promised, the broken engine beside the correct one."""
    head = Text(f"{trial.bug}  ", "bold")
    if trial.not_run:
        return Group(head + Text(f"not run: {trial.not_run}", "yellow"), Text())
    state = Text("as promised", "green") if trial.as_promised else Text("NOT as promised", "bold red")
    table = Table("", "correct engine", "broken engine", box=None, padding=(0, 2, 0, 0))
    for kept, broken in zip(trial.correct, trial.broken, strict=True):
        table.add_row(Text(broken.clause.replace("_", " ")), _played(kept), _played(broken))
    table.add_row(Text("the recorder finds"), _compared(trial.findings_of_correct), _compared(trial.findings))
    table.add_row(Text("a person sees"), _compared(trial.texts_of_correct), _compared(trial.texts))
    for name in trial.left_out:
        table.add_row(Text(name.replace("_", " ")), Text("not run", "yellow"), Text("not run", "yellow"))
    said = _said(trial)
    return Group(head + state, Padding(table, (0, 0, 0, 2)), *said, Text())


def _played(played: Played) -> Text:
    if played.times == played.of:
        colour = "green" if played.promised == "kept" else "yellow"
        return Text(f"{played.promised} {played.times} of {played.of}", colour)
    other = played.of - played.times
    verdict = f"{played.verdict.result} {other} of {played.of}, promised: {played.promised}"
    return Text.assemble((verdict, "bold red"), f"\n{played.verdict.text}")


def _compared(found: Comparison | None) -> Text:
    assert found is not None
    seen = ", ".join(found.seen) or NOTHING
    if found.holds:
        return Text(f"{seen} {found.times} of {found.of}", "yellow" if found.promised else "green")
    promised = ", ".join(found.promised) or NOTHING
    return Text(f"{seen}; as promised {found.times} of {found.of}, promised: {promised}", "bold red")


def _said(trial: Trial) -> list[RenderableType]:
    """Return the first thing that the broken engine was found to do, for each clause."""
    grid = _grid()
    for played in trial.broken:
        if played.times == played.of:
            grid.add_row("broken", Text(re.sub(r" at 0x[0-9a-f]+", "", played.verdict.text)))
    return [Padding(grid, (0, 0, 0, 2))]


def board_of(board: Board) -> Group:
    """Return what a learner chooses by: the tasks, their sessions, the connections, and the points."""
    out, size, waiting = board.pool
    held = "".join(f"; connection {each.connection} by {each.task}" for each in board.out)
    waits = f"; {waiting} tasks wait for one" if waiting else ""
    letters = [each.session for each in board.sessions]
    sessions = [
        f"{each.task} → session {each.session}"
        + (", in a transaction" if each.in_transaction else "")
        + (", shared" if letters.count(each.session) > 1 else "")
        for each in board.sessions
    ]
    grid = _grid()
    grid.add_row("tasks", _lines(Text(f"{task.task}: {_stands_at(task)}") for task in board.tasks))
    grid.add_row("sessions", _lines(map(Text, sessions or ["none open"])))
    grid.add_row("connections", Text(f"{out} of {size} out{held}{waits}"))
    for number, point in enumerate(board.points, 1):
        task = next(each.task for each in board.tasks if each.point == point)
        choice = Text.assemble((f"{number} ", "bold cyan"), f"{task} goes on: “{point}”")
        grid.add_row("" if number > 1 else "you choose", choice)
    return Group(Text(), grid)


def _stands_at(task: Waits) -> str:
    return f"before “{task.point}”" if task.point else f"waits at {task.where}" if task.where else "waits"


def end_of(clause: Clause, played: PlayedByHand, correct: PlayedByHand) -> Group:
    """Return what came of an order that a learner has chosen, on the broken engine and on the correct one."""
    grid = _grid()
    grid.add_row("your order", _lines(map(Text, played.passed)))
    grid.add_row("the promise", Text(f"{clause.sentence}. {clause.meaning}"))
    grid.add_row("broken engine", _judged(played.verdict))
    order = "in the same order" if correct.passed == played.passed else f"in the order: {', '.join(correct.passed)}"
    grid.add_row("correct engine", _judged(correct.verdict) + Text(f", {order}", "dim"))
    return Group(Text(), grid, Text())


def _judged(verdict: Verdict) -> Text:
    colour = "green" if verdict.result == "kept" else "yellow" if verdict.result == "broken" else "bold red"
    return Text.assemble((verdict.result, colour), f": {verdict.text}" if verdict.text else "")


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _lines(texts: Iterable[Text]) -> Text:
    return Text("\n").join(texts)
