"""A clause: one promise of the engine, as a function whose name is the sentence."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.services import Capability, Services

__all__ = ["Clause", "clause", "clauses", "expect", "find_clause", "promised"]

Play = Callable[[type[Engine], Services], Coroutine[Any, Any, None]]

_clauses: dict[str, Clause] = {}


@dataclass(frozen=True)
class Clause:
    """
    One promise: `play(engine_class, services)` raises `AssertionError` when an engine of that class breaks it.

    A clause that `listens` is broken, too, by whatever fails during it, or after it, without any caller being told.
    One that needs a separate process (`alone`) forks, patches asyncio, or may hang where nothing can stop it. One
    that `ends` is broken, too, when that process can't end.
    One that is `ordered` has tasks that pass the points of a sequencer: a caller may choose their order.
    """

    name: str
    topic: str
    play: Play
    needs: frozenset[Capability]
    listens: bool
    alone: bool
    ends: bool
    ordered: bool
    limit: float

    @property
    def sentence(self) -> str:
        """Return the promise in words."""
        return self.name.replace("_", " ")

    @property
    def meaning(self) -> str:
        """Return what the promise comes to: the docstring of its function."""
        return inspect.getdoc(self.play) or ""


def clause(
    *needs: Capability,
    listens: bool = False,
    alone: bool = False,
    ends: bool = False,
    ordered: bool = False,
    limit: float = 10.0,
) -> Callable[[Play], Play]:
    """Make a clause of a function; it belongs to the topic that its module is named after."""

    def register(play: Play) -> Play:
        name, topic = play.__name__, play.__module__.rpartition(".")[2]
        assert name not in _clauses, f"two clauses are called {name}"
        assert alone or not ends, f"{name}: only a separate process can come to its end"
        _clauses[name] = Clause(name, topic, play, frozenset(needs), listens, alone, ends, ordered, limit)
        return play

    return register


def clauses(topic: str | None = None) -> list[Clause]:
    """Return every clause, or those of one topic, in the order in which they are written."""
    return [each for each in _clauses.values() if topic in (None, each.topic)]


def find_clause(name: str) -> Clause:
    """Return the clause of this name; raises `InvalidInput`."""
    if name not in _clauses:
        near = difflib.get_close_matches(name, _clauses, n=3, cutoff=0.4)
        raise InvalidInput(
            f"There is no clause {name!r}.",
            remedy=f"Did you mean {' or '.join(near)}?" if near else "See `labkit.contract.clauses()`.",
        )
    return _clauses[name]


def expect(wanted: str, *, found: object, to_be: object) -> None:
    """Raise `AssertionError`, saying what was expected and what it got, unless the two are equal."""
    if found != to_be:
        raise AssertionError(f"expected: {wanted}; got: {found!r} in place of {to_be!r}")


@contextmanager
def promised(wanted: str) -> Iterator[None]:
    """Turn any error of the block into a broken promise: it should have worked."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        words = str(error).splitlines() or [""]
        raise AssertionError(f"expected: {wanted}; got: {type(error).__name__}: {words[0]}") from error
