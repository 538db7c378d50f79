"""Source shown as it is in the package: a notebook holds no copy that could grow old."""

from __future__ import annotations

import difflib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from pygments.lexers import PythonLexer
from pygments.token import Token

from labkit.errors import InvalidInput

__all__ = ["Source", "compare", "show"]


# Wide lines scroll: a line of code broken in its middle can't be read.
PRE = (
    "white-space:pre;overflow-x:auto;margin:.5em 0;padding:.2em .6em;line-height:1.45;"
    "font-size:var(--jp-code-font-size,.9em)"
)

# JupyterLab's own colours, which follow its theme; elsewhere the text keeps the page's colour.
COLOURS = {
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
    Token.Literal.String: "string",
    Token.Literal.Number: "number",
    Token.Name.Function: "def",
    Token.Name.Class: "def",
    Token.Name.Builtin: "builtin",
}
MARKS = {"-": "rgba(220,50,47,.18)", "+": "rgba(70,160,60,.22)"}


@dataclass(frozen=True)
class Source:
    """A piece of source, or the difference of two, with its title; displays highlighted, prints plain."""

    title: str
    text: str
    language: str = "python"

    def __repr__(self) -> str:
        return f"{self.title}\n\n{self.text}"

    def _repr_html_(self) -> str:
        lines = _marked(self.text) if self.language == "diff" else highlight(self.text)
        return f'<div><code>{escape(self.title)}</code></div><pre style="{PRE}">{lines}</pre>'


def show(thing: Callable[..., Any]) -> Source:
    """Return the source of a function, a method or a class, to be displayed."""
    return Source(f"{thing.__module__}.{thing.__qualname__}", _source(thing))


def compare(before: type, after: type) -> Source:
    """
    Return the difference between a class and a subclass of it, whichever comes first: each overridden method.

    The comparison is made from the source of both. Raises `InvalidInput` if nothing differs.
    """
    base, special = (before, after) if issubclass(after, before) else (after, before)
    own = [name for name, value in vars(special).items() if inspect.isfunction(value) and hasattr(base, name)]
    if base is special or not issubclass(special, base) or not own:
        raise InvalidInput(
            f"A class was wanted that overrides methods of another, found {before.__name__} and {after.__name__}."
        )
    differences = [_difference(getattr(before, name), getattr(after, name)) for name in own]
    return Source(f"{before.__name__} and {after.__name__}", "\n".join(differences), "diff")


def _difference(before: Callable[..., Any], after: Callable[..., Any]) -> str:
    lines = difflib.unified_diff(
        _source(before).splitlines(),
        _source(after).splitlines(),
        before.__qualname__,
        after.__qualname__,
        n=100,
        lineterm="",
    )
    return "\n".join(line for line in lines if not line.startswith("@@"))


def _source(thing: Callable[..., Any]) -> str:
    return textwrap.dedent(inspect.getsource(thing)).rstrip()


def highlight(text: str) -> str:
    """Return Python source as HTML, in the colours of the page it is shown on."""
    return "".join(_span(kind, word) for kind, word in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text))


def _span(kind: Any, word: str) -> str:
    for wanted, colour in COLOURS.items():
        if kind in wanted:
            weight = ";font-weight:bold" if colour == "keyword" else ""
            return (
                f'<span style="color:var(--jp-mirror-editor-{colour}-color,inherit){weight}">{escape(word)}</span>'
            )
    return escape(word)


def _marked(text: str) -> str:
    return "\n".join(_mark(line) for line in text.splitlines())


def _mark(line: str) -> str:
    colour = MARKS.get(line[:1])
    if line.startswith(("---", "+++")):
        return f"<b>{escape(line)}</b>"
    if colour is None:
        return escape(line)
    return f'<span style="display:inline-block;min-width:100%;background:{colour}">{escape(line)}</span>'
