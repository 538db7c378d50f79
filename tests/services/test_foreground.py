"""A signal ends a command that starts services, whatever becomes of the cancellation inside of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import pytest

from labkit.services import foreground

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send SIGTERM to a process")


async def test_a_signal_whose_cancellation_is_swallowed_ends_the_start_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A driver that is cancelled while it connects may say that the server does not answer, and is asked again."""

    @asynccontextmanager
    async def swallowing(provider: str | None) -> AsyncIterator[SimpleNamespace]:
        os.kill(os.getpid(), signal.SIGTERM)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        yield SimpleNamespace(environment=dict)

    monkeypatch.setattr(foreground, "start_services", swallowing)
    announced: list[object] = []
    async with asyncio.timeout(10):
        held = await foreground.hold_services("local", announced.append)
        ran = await foreground.run_with_services([sys.executable, "-c", "pass"], "local", announced.append)

    assert (held, ran) == (128 + signal.SIGTERM, 128 + signal.SIGTERM)
    assert announced == []


async def test_a_signal_that_comes_while_a_start_holds_up_the_loop_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded servers start within one step of the loop, which hears of a signal only after it."""

    @asynccontextmanager
    async def at_once(provider: str | None) -> AsyncIterator[SimpleNamespace]:
        os.kill(os.getpid(), signal.SIGINT)
        yield SimpleNamespace(environment=dict)

    monkeypatch.setattr(foreground, "start_services", at_once)
    announced: list[object] = []
    held = await foreground.hold_services("embedded", announced.append)
    ran = await foreground.run_with_services([sys.executable, "-c", "pass"], "embedded", announced.append)

    assert (held, ran) == (128 + signal.SIGINT, 128 + signal.SIGINT)
    assert announced == []


async def test_a_command_of_labkits_environment_is_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def start(provider: str | None) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(environment=dict)

    monkeypatch.setattr(foreground, "start_services", start)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    inside = "import sqlalchemy, shutil, sys; sys.exit(shutil.which('labkit') is None)"

    assert await foreground.run_with_services(["python3", "-c", inside], "embedded") == 0
