"""Source shown as it is in the package: a notebook holds no copy that could grow old."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from pygments.lexers import PythonLexer
from pygments.token import Token

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
    from labkit.bugs.difference import compare_source  # it knows the engine, and with it SQLAlchemy

    return Source(f"{before.__name__} and {after.__name__}", compare_source(before, after), "diff")


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
