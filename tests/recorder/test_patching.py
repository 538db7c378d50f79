"""Hooks tell every active recorder, return what they should, and never raise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labkit.recorder import patching
from labkit.recorder.ledger import Ledger


class Trackers:
    def __init__(self) -> None:
        self.ledger = Ledger(20, "pool")
        self.heard: list[Any] = []


@pytest.fixture
def trackers() -> Iterator[Trackers]:
    active = Trackers()
    patching.activate(active)
    yield active
    patching.deactivate(active)


def test_the_first_and_the_last_recorder_are_known_as_such() -> None:
    one, other = Trackers(), Trackers()
    assert [patching.activate(one), patching.activate(other)] == [True, False]
    assert patching.active() == (one, other)
    assert [patching.deactivate(one), patching.deactivate(other), patching.deactivate(other)] == [
        False,
        True,
        False,
    ]


def test_a_hook_tells_whoever_is_active(trackers: Trackers) -> None:
    hook = patching.hook(lambda trackers, *what: trackers.heard.append(what))
    hook(1, 2)
    patching.deactivate(trackers)
    hook(3)
    assert trackers.heard == [(1, 2)]


def test_a_hook_keeps_its_name() -> None:
    def _heard(trackers: Any) -> None:
        """Hear."""

    assert (patching.hook(_heard).__name__, patching.guarded(_heard).__doc__) == ("_heard", "Hear.")


def test_a_shield_gives_what_it_shields_or_nothing(trackers: Trackers) -> None:
    divide = patching.guarded(lambda a, b: a / b)
    assert divide(6, 3) == 2
    assert divide(6, 0) is None
    assert [fault.partition(" at ")[0] for fault in trackers.ledger.faults] == ["<lambda>: ZeroDivisionError"]


def test_a_block_of_a_hook_may_fail(trackers: Trackers) -> None:
    with patching.guard("block", trackers.ledger):
        raise KeyError
    assert trackers.ledger.faults[0].startswith("block: KeyError at test_patching.py:")
    with pytest.raises(KeyboardInterrupt), patching.guard("block", trackers.ledger):
        raise KeyboardInterrupt


def test_wrappers_come_off_in_the_opposite_order() -> None:
    class Library:
        @staticmethod
        def run() -> list[str]:
            return ["run"]

    original = vars(Library)["run"]
    own = patching.Patches()
    own.wrap(Library, "run", lambda inner: staticmethod(lambda: [*inner.__func__(), "first"]))
    own.wrap(Library, "run", lambda inner: staticmethod(lambda: [*inner.__func__(), "second"]))
    assert Library.run() == ["run", "first", "second"]
    own.remove()
    assert vars(Library)["run"] is original
    own.remove()
