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

__all__ = ["Patches", "activate", "active", "deactivate", "guard", "guarded", "hook"]

T = TypeVar("T")

_active: tuple[Any, ...] = ()


def active() -> tuple[Any, ...]:
    """Return the trackers of every recorder that is recording."""
    return _active


def activate(trackers: Any) -> bool:
    """Tell these trackers from now on; return True if they are the first."""
    global _active
    _active = (*_active, trackers)
    return len(_active) == 1


def deactivate(trackers: Any) -> bool:
    """Tell these trackers no more; return True if they were the last."""
    global _active
    before = _active
    _active = tuple(each for each in before if each is not trackers)
    return bool(before) and not _active


def hook(write: Callable[..., None]) -> Callable[..., None]:
    """Return a hook that calls `write(trackers, *args)` for every active recorder, and never raises."""
    name = write.__name__.lstrip("_")

    def call(*args: Any) -> None:
        for trackers in _active:
            try:
                write(trackers, *args)
            except Exception as error:
                trackers.ledger.fault(name, error)

    return functools.update_wrapper(call, write)


def guarded(work: Callable[..., T]) -> Callable[..., T | None]:
    """Return `work` as a hook that never raises, where one call serves every recorder; None when it failed."""

    def call(*args: Any) -> T | None:
        try:
            return work(*args)
        except Exception as error:
            for trackers in _active:
                trackers.ledger.fault(work.__name__, error)
            return None

    return functools.update_wrapper(call, work)


@contextmanager
def guard(name: str, ledger: Ledger) -> Iterator[None]:
    """Run a block of a hook; write down what it raises."""
    try:
        yield
    except Exception as error:
        ledger.fault(name, error)


class Patches:
    """The functions that one module of hooks has wrapped, and how the wrappers come off."""

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
        """Put every original back, unless other code has wrapped the wrapper since."""
        while self._on:
            owner, name, original, wrapper, own = self._on.pop()
            if vars(owner).get(name) is wrapper:
                if own:
                    setattr(owner, name, original)
                else:
                    delattr(owner, name)
