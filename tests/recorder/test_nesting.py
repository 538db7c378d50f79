"""nest_asyncio: told when a loop that should have closed did not, and taken off with everything else."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from typing import Any

import nest_asyncio
import pytest

from labkit.recorder import FlightRecorder
from labkit.recorder.hooks import nesting

from .aids import codes

SCRIPT = """
import asyncio, sys
import nest_asyncio
from labkit.recorder import FlightRecorder

flight = FlightRecorder().start()
nest_asyncio.apply()

async def inner():
    return 1

async def outer():
    return asyncio.run(inner())

asyncio.run(outer())
flight.stop()
[finding] = flight.findings()
print(finding.code, finding.where.line, asyncio.run.__module__)
"""


def test_the_real_one_is_told_at_the_line_that_applies_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["nest-asyncio-active", "7", "nest_asyncio"], done.stderr


def _apply(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    """Give nest_asyncio a stand-in that can be taken off again."""
    monkeypatch.setattr(asyncio, "run", asyncio.run)
    monkeypatch.setattr(nest_asyncio, "apply", lambda: setattr(asyncio, "run", run))


def test_a_run_that_leaves_its_loop_open_is_told_and_the_recorder_leaves_that_run_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(main: Any) -> Any:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main)

    async def main() -> int:
        return 7

    _apply(monkeypatch, run)
    loop = asyncio.new_event_loop()
    with FlightRecorder() as flight:
        nest_asyncio.apply()
        assert asyncio.run is not run
        assert asyncio.run(main()) == 7
    assert asyncio.run is run
    asyncio.set_event_loop(None)
    loop.close()
    [finding] = flight.findings()
    assert finding.code == "nest-asyncio-active"
    assert "asyncio is patched (at test_nesting.py:" in finding.summary


def test_a_run_that_closes_its_loop_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    original = asyncio.run

    async def main() -> int:
        return 7

    _apply(monkeypatch, lambda main: original(main))
    with FlightRecorder() as flight:
        nest_asyncio.apply()
        assert asyncio.run(main()) == 7
    assert codes(flight) == []


def test_an_apply_that_changes_nothing_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nest_asyncio, "apply", lambda: None)
    run = asyncio.run
    with FlightRecorder():
        nest_asyncio.apply()
        assert asyncio.run is run


@pytest.mark.parametrize("error", [ImportError, AttributeError])
def test_a_nest_asyncio_that_can_not_be_imported_is_not_there(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def import_module(name: str) -> Any:
        raise error(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    assert nesting._module("nest_asyncio") is None
    with FlightRecorder():
        pass
