"""How exercises look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labkit.course.examination import Examination, Tried
    from labkit.course.exercises import Exercise
    from labkit.course.progress import Progress
    from labkit.course.verification import Verification

__all__ = ["capital", "examination_of", "list_of", "solution_of", "verification_of", "whole_code"]

COLOURS = {
    "passed": "green",
    "failed": "bold red",
    "timed out": "bold red",
    "environment problem": "bold yellow",
    "not attempted": "dim",
}


def examination_of(exercise: Exercise, found: Examination) -> Group:
    """Return what was expected and what was found, and only then what may help."""
    from labkit.course.examination import advice_on
    from labkit.course.examiner import sentence

    head = Text.assemble((exercise.name, "bold"), f"  {exercise.title}  ", _state(found.verdict))
    head.append(f"  {found.seconds:.1f} s", "dim")
    parts: list[RenderableType] = [head]
    if found.text:
        parts.append(Padding(Text(found.text), (0, 0, 0, 2)))
    for tried in found.tried:
        sign = Text("✓ ", "green") if tried.passed else Text("✗ ", "bold red")
        parts.append(Padding(sign + Text(sentence(tried.test)), (0, 0, 0, 2)))
        if not tried.passed:
            parts.append(Padding(_expected_and_got(tried), (0, 0, 0, 4)))
    parts += [Padding(Text(f"waits: {place}"), (0, 0, 0, 2)) for place in found.waiting]
    if found.printed:
        parts.append(Padding(Text(f"your code printed:\n{found.printed}", "dim"), (0, 0, 0, 2)))
    if advice := advice_on(exercise, found):
        parts.append(Text("\nWhat others have tried, and why it fails like this:"))
        tips = (Text.assemble((fix.tried, "italic"), f" {capital(fix.because)}") for fix in advice)
        parts += [Padding(tip, (0, 0, 0, 2)) for tip in tips]
    return Group(*parts)


def _expected_and_got(tried: Tried) -> RenderableType:
    expected, _, got = tried.text.removeprefix("expected: ").partition("; got: ")
    if not got:
        return Text(tried.text)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("expected", Text(expected))
    grid.add_row("got", Text(got))
    return grid


def capital(sentence: str) -> str:
    """Return a sentence that begins as sentences do."""
    return sentence[:1].upper() + sentence[1:]


def _state(state: str) -> Text:
    return Text(state, COLOURS[state])


def list_of(exercises: list[Exercise], progress: Progress) -> Table:
    """Return the exercises with what was done of each."""
    table = Table(Column("exercise", no_wrap=True), "title", "min", "state", box=None, padding=(0, 2, 0, 0))
    for each in exercises:
        done = progress.exercises.get(each.name)
        state = _state(done.state if done else "not attempted")
        if done and done.hints:
            state.append(f"\n{done.hints} of {len(each.hints())} hints seen", "dim")
        table.add_row(Text(each.name, "bold"), each.title, str(each.minutes), state)
    return table


def solution_of(exercise: Exercise) -> Group:
    """Return the author's fix, why it works, and what does not."""
    code = whole_code(exercise.solution.read_text("utf-8"), "python")
    wrong = [Text.assemble((f"{fix.tried} ", "red"), capital(fix.because)) for fix in exercise.wrong_fixes()]
    others = [path.stem.replace("_", " ") for path in exercise.right_fixes()]
    parts: list[RenderableType] = [
        code,
        Text(f"\nOther fixes that are right: {', '.join(others)}\n"),
        Text("No fixes:", "bold"),
    ]
    return Group(*parts, *(Padding(each, (0, 0, 0, 2)) for each in wrong))


def whole_code(text: str, language: str) -> Text:
    """Return code in colours with its lines as they are, whatever the width: print it without cropping."""
    # The terminal's own colours, on its own ground: light or dark.
    code = Syntax("", language, theme="ansi_dark", background_color="default").highlight(text)
    code.no_wrap, code.overflow = True, "ignore"
    return code


def verification_of(found: Verification) -> Group:
    """Return a line for each exercise, how many of its attempts were judged as they should be, and every fault."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("exercise", no_wrap=True)
    for kind in ("broken", "solution", "other fixes", "wrong fixes"):
        table.add_column(kind)
    names = list(dict.fromkeys(attempt.exercise.name for attempt, _ in found.tried))
    for name in names:
        cells = [_count(found, name, kind) for kind in ("broken", "solution", "right", "wrong")]
        table.add_row(Text(name, "bold"), *cells)
    faults = [Text.assemble(("✗ ", "bold red"), fault) for fault in found.faults]
    return Group(table, *faults)


def _count(found: Verification, exercise: str, kind: str) -> Text:
    judged = [
        not attempt.fault(examination)
        for attempt, examination in found.tried
        if (attempt.exercise.name, attempt.kind) == (exercise, kind)
    ]
    word = {"broken": "red", "solution": "green", "right": "green", "wrong": "red"}[kind]
    return Text(f"{word} {sum(judged)}/{len(judged)}", "green" if all(judged) else "bold red")
