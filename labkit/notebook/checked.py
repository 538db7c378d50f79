"""How a judged exercise and its solution look under a cell, in a light theme and in a dark one."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from labkit.notebook.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.course.examination import Examination, Tried
    from labkit.course.exercises import Exercise, WrongFix

__all__ = ["html_of", "html_of_solution", "prose"]

# A word and a sign stand beside each colour.
COLOURS = {
    "passed": "#859900",
    "failed": "#dc322f",
    "timed out": "#dc322f",
    "environment problem": "#b58900",
    "not attempted": "#888888",
}
CELL = "padding:.15em .7em;text-align:left;vertical-align:top"


def html_of(exercise: Exercise, found: Examination) -> str:
    """Return what was expected, what was found, and then what may help; every text in it stays text."""
    rows = "".join(_row(tried) for tried in found.tried)
    parts = [
        f"<div><b>{escape(found.verdict)}</b> · {escape(exercise.title)} ({found.seconds:.1f} s)</div>",
        f"<div>{escape(found.text)}</div>" if found.text else "",
        f'<table style="border-collapse:collapse;margin:.4em 0">{rows}</table>' if rows else "",
        *(f"<div>waits: <code>{escape(place)}</code></div>" for place in found.waiting),
        _details("What your code printed", f"<pre>{escape(found.printed)}</pre>") if found.printed else "",
        _advice(exercise, found),
        _details("Why it works, and what does not", _lessons(exercise)) if found.verdict == "passed" else "",
    ]
    return f'<div style="border-left:.3em solid {COLOURS[found.verdict]};padding-left:.8em">{"".join(parts)}</div>'


def html_of_solution(exercise: Exercise) -> str:
    """Return the author's fix, highlighted, what else is right, and what is not; every text in it stays text."""
    others = ", ".join(path.stem.replace("_", " ") for path in exercise.right_fixes())
    code = Source(exercise.solution.name, exercise.solution.read_text("utf-8"))._repr_html_()
    right = f"<div>Other fixes that are right: {escape(others)}</div>"
    return code + right + _details("What is no fix, and why", _wrong(exercise.wrong_fixes()))


def prose(text: str) -> str:
    """Return words as HTML, with `code`, and lines that are indented by four, set as code."""
    return re.sub(r"`([^`\n]+)`|(?m:^ {4}(.+)$)", r"<code>\1\2</code>", escape(text))


def _row(tried: Tried) -> str:
    from labkit.course.examiner import sentence

    sign = "✓" if tried.passed else "✗"
    told = escape(sentence(tried.test))
    if not tried.passed:
        expected, _, got = tried.text.removeprefix("expected: ").partition("; got: ")
        told += f"<br>expected: {escape(expected)}<br>got: {escape(got)}" if got else f"<br>{escape(expected)}"
    return f'<tr><td style="{CELL}">{sign}</td><td style="{CELL};white-space:normal">{told}</td></tr>'


def _advice(exercise: Exercise, found: Examination) -> str:
    from labkit.course.examination import advice_on

    advice = advice_on(exercise, found)
    return _details("What others have tried, and why it fails like this", _wrong(advice)) if advice else ""


def _lessons(exercise: Exercise) -> str:
    paragraphs = "".join(f"<p>{prose(part)}</p>" for part in exercise.why().split("\n\n"))
    return paragraphs + _wrong(exercise.wrong_fixes())


def _wrong(fixes: Iterable[WrongFix]) -> str:
    from labkit.course.views import capital

    tried = "".join(f"<li><i>{prose(fix.tried)}</i> {prose(capital(fix.because))}</li>" for fix in fixes)
    return f"<ul>{tried}</ul>"


def _details(head: str, body: str) -> str:
    return f"<details><summary>{escape(head)}</summary>{body}</details>"
