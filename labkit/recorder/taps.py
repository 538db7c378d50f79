"""
How the recorder listens: hooks that tell every active ledger, and wrappers that can be taken off again.

Two promises are kept here and nowhere else. A hook that fails never reaches the user's code: its failure is written
down in the ledger. And when the last recorder stops, every wrapped function is the original again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from labkit.recorder.ledger import Ledger

__all__ = ["Taps", "activate", "active", "deactivate", "shield", "tap", "telling"]

T = TypeVar("T")

_active: tuple[Any, ...] = ()


def active() -> tuple[Any, ...]:
    """Return the books of every recorder that is recording."""
    return _active


def activate(books: Any) -> bool:
    """Tell these books from now on; say whether they are the first."""
    global _active
    _active = (*_active, books)
    return len(_active) == 1


def deactivate(books: Any) -> bool:
    """Tell these books no more; say whether they were the last."""
    global _active
    before = _active
    _active = tuple(each for each in before if each is not books)
    return bool(before) and not _active


def tap(write: Callable[..., None]) -> Callable[..., None]:
    """Return a hook that calls `write(books, *args)` for every active recorder, and never raises."""
    name = write.__name__.lstrip("_")

    def hook(*args: Any) -> None:
        for books in _active:
            try:
                write(books, *args)
            except Exception as error:
                books.ledger.fault(name, error)

    return functools.update_wrapper(hook, write)


def shield(work: Callable[..., T]) -> Callable[..., T | None]:
    """Return `work` as a hook that never raises, where one call serves every recorder; None when it failed."""

    def hook(*args: Any) -> T | None:
        try:
            return work(*args)
        except Exception as error:
            for books in _active:
                books.ledger.fault(work.__name__, error)
            return None

    return functools.update_wrapper(hook, work)


@contextmanager
def telling(name: str, ledger: Ledger) -> Iterator[None]:
    """Run a block of a hook; write down what it raises."""
    try:
        yield
    except Exception as error:
        ledger.fault(name, error)


class Taps:
    """The wrappers that one probe has put on, and how they come off."""

    def __init__(self) -> None:
        self._on: list[tuple[Any, str, Any, Any, bool]] = []

    def wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace `owner.name` by `make(original)`, until `remove`."""
        if not hasattr(owner, name):
            return  # this version of the library hasn't got it: what it would have told stays unknown
        own = name in vars(owner)
        original = vars(owner)[name] if own else getattr(owner, name)
        wrapper = make(original)
        setattr(owner, name, wrapper)
        self._on.append((owner, name, original, wrapper, own))

    def remove(self) -> None:
        """Put every original back, unless somebody else has wrapped the wrapper since."""
        while self._on:
            owner, name, original, wrapper, own = self._on.pop()
            if vars(owner).get(name) is wrapper:
                if own:
                    setattr(owner, name, original)
                else:
                    delattr(owner, name)
