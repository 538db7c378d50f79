"""A block: one finding as plain text, for places that have no console of their own, such as a failed test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import TextWrapper

from labkit.recorder.finding import Finding
from labkit.recorder.report.details import facts
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Place, Record

__all__ = ["block"]

WIDTH = 100  # columns
_LEFT_OUT = {"at", "test"}  # the first line says where, and the caller, that shows the block, says in which test


def block(record: Record, finding: Finding) -> str:
    """Return a finding as lines of text: what and where, the sentence, what is known, what to do, what followed."""
    return "\n".join(_lines(record, finding))


def _lines(record: Record, finding: Finding) -> Iterator[str]:
    times = f", {finding.times} times" if finding.times > 1 else ""
    yield f"{finding.code}{_at(finding.where)}{times}"
    yield from _wrapped("    ", "    ", finding.summary)
    for label, words in facts(record, finding):
        if label not in _LEFT_OUT:
            yield from _wrapped(f"    {label + ':':<8}", " " * 12, words)
    for each in finding.consequences:
        yield from _wrapped("    then:   ", " " * 12, f"{each.code}{_at(each.where)}: {each.summary}")


def _at(place: Place | None) -> str:
    return f" at {plain(_path(place.file), 200)}:{place.line} in {plain(place.function, 100)}" if place else ""


def _path(file: str) -> str:
    """Return a path as one would type it here."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return os.fspath(path.relative_to(Path.cwd()))
    return file


def _wrapped(first: str, rest: str, words: str) -> list[str]:
    wrapper = TextWrapper(
        WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(plain(words))
