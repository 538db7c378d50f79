"""Hooks tell every active recorder, return what they should, and never raise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labkit.recorder import taps
from labkit.recorder.ledger import Ledger


class Books:
    def __init__(self) -> None:
        self.ledger = Ledger(20, "pool")
        self.heard: list[Any] = []


@pytest.fixture
def books() -> Iterator[Books]:
    active = Books()
    taps.activate(active)
    yield active
    taps.deactivate(active)


def test_the_first_and_the_last_recorder_are_known_as_such() -> None:
    one, other = Books(), Books()
    assert [taps.activate(one), taps.activate(other)] == [True, False]
    assert taps.active() == (one, other)
    assert [taps.deactivate(one), taps.deactivate(other), taps.deactivate(other)] == [False, True, False]


def test_a_hook_tells_whoever_is_active(books: Books) -> None:
    hook = taps.tap(lambda books, *what: books.heard.append(what))
    hook(1, 2)
    taps.deactivate(books)
    hook(3)
    assert books.heard == [(1, 2)]


def test_a_hook_keeps_its_name() -> None:
    def _heard(books: Any) -> None:
        """Hear."""

    assert (taps.tap(_heard).__name__, taps.shield(_heard).__doc__) == ("_heard", "Hear.")


def test_a_shield_gives_what_it_shields_or_nothing(books: Books) -> None:
    divide = taps.shield(lambda a, b: a / b)
    assert divide(6, 3) == 2
    assert divide(6, 0) is None
    assert [fault.partition(" at ")[0] for fault in books.ledger.faults] == ["<lambda>: ZeroDivisionError"]


def test_a_block_of_a_hook_may_fail(books: Books) -> None:
    with taps.telling("block", books.ledger):
        raise KeyError
    assert books.ledger.faults[0].startswith("block: KeyError at test_taps.py:")
    with pytest.raises(KeyboardInterrupt), taps.telling("block", books.ledger):
        raise KeyboardInterrupt


def test_wrappers_come_off_in_the_opposite_order() -> None:
    class Library:
        @staticmethod
        def run() -> list[str]:
            return ["run"]

    original = vars(Library)["run"]
    own = taps.Taps()
    own.wrap(Library, "run", lambda inner: staticmethod(lambda: [*inner.__func__(), "first"]))
    own.wrap(Library, "run", lambda inner: staticmethod(lambda: [*inner.__func__(), "second"]))
    assert Library.run() == ["run", "first", "second"]
    own.remove()
    assert vars(Library)["run"] is original
    own.remove()
