"""Source shown as it is in the package: a notebook holds no copy that could grow old."""

from __future__ import annotations

import difflib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit.errors import InvalidInput

__all__ = ["Source", "compare", "show"]


@dataclass(frozen=True)
class Source:
    """A piece of source, or the difference of two, with its title; displays highlighted, prints plain."""

    title: str
    text: str
    language: str = "python"

    def __repr__(self) -> str:
        return f"{self.title}\n\n{self.text}"

    def _repr_markdown_(self) -> str:
        # The page's own highlighting of Markdown follows its theme, light or dark.
        return f"`{self.title}`\n\n```{self.language}\n{self.text}\n```\n"


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
    if not issubclass(special, base) or not own:
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
