"""The gate for silent failures: what Python prints when something failed and no caller could be told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["SILENT_FAILURES", "hide_failures", "is_silent_failure", "silent_failures"]

# Parts of the texts of Python, asyncio, SQLAlchemy, the drivers and labkit, each for one way to fail unheard.
SILENT_FAILURES = (
    "Exception ignored ",  # in a finaliser, at exit, in a generator being closed
    "Exception in thread ",
    "Exception in callback ",
    "exception was never retrieved",
    "was never awaited",
    "destroyed but it is pending",
    "unhandled exception during asyncio.run() shutdown",
    "error occurred during closing of asynchronous generator",
    "Exception terminating connection",
    "Exception closing connection",
    "Exception during reset or similar",
    "garbage collector is trying to clean up non-checked-in connection",
    "unclosed ",
    "was deleted before being closed",
    "was dropped open",
    "could not be heard",
)
# The warnings among them, by an example of each.
WARNINGS = (
    (RuntimeWarning, "coroutine 'f' was never awaited"),
    (ResourceWarning, "unclosed transport <f>"),
    (ResourceWarning, "Unclosed connection <f>"),
    (ResourceWarning, "<f> was deleted before being closed."),
)
_FOLDED = tuple(each.casefold() for each in SILENT_FAILURES)


def is_silent_failure(text: str) -> bool:
    """Return True if `text` tells of a failure that no caller got."""
    folded = text.casefold()  # some libraries begin the same words with a capital
    return any(each in folded for each in _FOLDED)


def silent_failures(output: str) -> list[str]:
    """Return the lines of `output` that tell of failures that no caller got."""
    return [line.strip() for line in output.splitlines() if is_silent_failure(line)]


def hide_failures(filters: Iterable[tuple[Any, ...]]) -> bool:
    """Return True if warnings that tell of silent failures are ignored by these `warnings.filters`."""
    rules = list(filters)
    return any(_action(rules, kind, text) == "ignore" for kind, text in WARNINGS)


def _action(rules: list[tuple[Any, ...]], kind: type[Warning], text: str) -> str:
    # The first rule that fits is the one that counts.
    for action, message, category, *_ in rules:
        if issubclass(kind, category) and (message is None or re.match(message, text)):
            return str(action)
    return ""
