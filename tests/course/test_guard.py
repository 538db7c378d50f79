"""The guard names what was replaced of all by which a program is judged, and puts it back."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import labkit.contract
import labkit.contract.clause
import labkit.course.promises
import labkit.scene
import labkit.scene.gate
from labkit.course.guard import Guard
from labkit.scene.capture import Capture


@pytest.fixture(autouse=True)
def filters_as_they_were() -> Iterator[None]:
    with warnings.catch_warnings():
        yield


@pytest.mark.parametrize(
    ("owner", "name", "told"),
    [
        (sys, "unraisablehook", "sys.unraisablehook"),
        (sys, "excepthook", "sys.excepthook"),
        (threading, "excepthook", "threading.excepthook"),
        (warnings, "showwarning", "warnings.showwarning"),
        (gc, "collect", "gc.collect"),
        (asyncio, "run", "asyncio.run"),
        (asyncio.Runner, "run", "asyncio.runners.Runner.run"),
        (logging.Logger, "handle", "logging.Logger.handle"),
        (labkit.contract, "check", "labkit.contract.check"),
        (labkit.contract.clause, "expect", "labkit.contract.clause.expect"),
        (labkit.course.promises, "play", "labkit.course.promises.play"),
        (labkit.scene, "private_loop", "labkit.scene.private_loop"),
        (labkit.scene.gate, "SILENT_FAILURES", "labkit.scene.gate.SILENT_FAILURES"),
        (labkit.scene.Outcome, "silent_failures", "labkit.scene.outcome.Outcome.silent_failures"),
    ],
)
def test_what_was_replaced_is_named_and_put_back(owner: Any, name: str, told: str) -> None:
    true = vars(owner)[name]
    guard = Guard()
    setattr(owner, name, lambda *args, **kwargs: None)

    assert guard.replaced() == [told]
    assert vars(owner)[name] is true
    assert guard.replaced() == []


def test_what_was_deleted_is_put_back() -> None:
    true = labkit.course.promises.play
    guard = Guard()
    del labkit.course.promises.play

    assert guard.replaced() == ["labkit.course.promises.play"]
    assert labkit.course.promises.play is true


def test_a_method_that_hides_an_inherited_one_is_taken_away() -> None:
    guard = Guard()
    Capture.handle = lambda self, record: True  # type: ignore[assignment,method-assign]

    assert guard.replaced() == ["labkit.scene.capture.Capture.handle"]
    assert Capture.handle is logging.Handler.handle
    assert guard.replaced() == []


def test_a_module_that_was_replaced_as_a_whole_is_put_back() -> None:
    guard = Guard()
    sys.modules["labkit.scene.gate"] = ModuleType("labkit.scene.gate")

    assert guard.replaced() == ["labkit.scene.gate"]
    assert sys.modules["labkit.scene.gate"] is labkit.scene.gate


def test_a_module_that_judges_besides_is_guarded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = ModuleType("tests_of_somebody")
    monkeypatch.setitem(sys.modules, "tests_of_somebody", tests)
    tests.test_it = print  # type: ignore[attr-defined]
    guard = Guard(tests)
    tests.test_it = len  # type: ignore[attr-defined]

    assert guard.replaced() == ["tests_of_somebody.test_it"]
    assert tests.test_it is print


@pytest.mark.parametrize("category", [Warning, RuntimeWarning])
def test_ignored_warnings_are_heard_again(category: type[Warning]) -> None:
    guard = Guard()
    before = list(warnings.filters)
    warnings.simplefilter("ignore", category)

    assert guard.replaced() == ["warnings.filters"]
    assert list(warnings.filters) == before


@pytest.mark.parametrize(
    "add",
    [
        lambda: warnings.simplefilter("ignore", DeprecationWarning),
        lambda: warnings.filterwarnings("ignore", message="numpy.ndarray size changed"),
        lambda: warnings.simplefilter("error"),
        lambda: logging.getLogger("lab").setLevel(logging.DEBUG),
        lambda: logging.getLogger().addHandler(logging.NullHandler()),
    ],
)
def test_what_hides_no_silent_failure_is_nobodys_business(add: Any) -> None:
    handlers = list(logging.getLogger().handlers)
    guard = Guard()
    add()

    assert guard.replaced() == []
    logging.getLogger().handlers = handlers


def test_nothing_is_named_when_nothing_was_replaced() -> None:
    assert Guard().replaced() == []
