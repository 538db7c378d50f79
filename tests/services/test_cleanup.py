"""
Nothing is left behind, however the process ends: counted from outside, by the processes, containers and files.

Each way to end is tried once; LABKIT_TEST_STARTS=20 tries each 20 times.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Outside

STARTS = int(os.environ.get("LABKIT_TEST_STARTS", "1"))
SCRIPT = """
import asyncio, sys
from labkit.services import start_services

async def main(provider, ending):
    async with start_services(provider):
        print("up", flush=True)
        if ending == "exception":
            raise RuntimeError("meant")
        if ending != "end":
            await asyncio.get_running_loop().create_future()

asyncio.run(main(*sys.argv[1:]))
"""
SIGNALS = {each.name: each for each in signal.Signals if each.name in ("SIGINT", "SIGTERM", "SIGKILL")}
STATUS = {"end": 0, "exception": 1} | {name: -number for name, number in SIGNALS.items()}


def start(outside: Outside, provider: str, ending: str) -> None:
    outside.run([sys.executable, "-c", SCRIPT, provider, ending])


def start_and_end(outside: Outside, provider: str, ending: str) -> int:
    start(outside, provider, ending)
    assert outside.process.stdout.readline() == "up\n", outside.process.communicate()[1]
    if ending in SIGNALS:
        assert outside.leftovers()
        outside.process.send_signal(SIGNALS[ending])
    outside.process.communicate(timeout=60)
    return outside.process.returncode


@pytest.mark.push
@pytest.mark.real_servers("push", "full")  # whether the process ends by itself is the same for all; SIGKILL is not
@pytest.mark.parametrize("number", range(STARTS))
@pytest.mark.parametrize("ending", ["end", "exception", "SIGINT"])
def test_nothing_is_left_when_the_process_has_ended(
    provider: str, ending: str, number: int, outside: Outside
) -> None:
    status = start_and_end(outside, provider, ending)

    assert (status, outside.leftovers()) == (STATUS[ending], [])


@pytest.mark.push
@pytest.mark.parametrize("number", range(STARTS))
@pytest.mark.parametrize("ending", [pytest.param("SIGTERM", marks=pytest.mark.full), "SIGKILL"])
def test_nothing_is_left_soon_after_the_process_was_killed(
    provider: str, ending: str, number: int, outside: Outside
) -> None:
    assert start_and_end(outside, provider, ending) == STATUS[ending]

    outside.wait_until(lambda: outside.leftovers() == [])


@pytest.mark.full
@pytest.mark.parametrize("number", range(STARTS))
@pytest.mark.parametrize("ending", list(SIGNALS))
def test_nothing_is_left_of_a_start_that_was_interrupted(
    provider: str, ending: str, number: int, outside: Outside
) -> None:
    start(outside, provider, "end")
    outside.wait_until(lambda: outside.leftovers() or outside.process.poll() is not None)
    outside.process.send_signal(SIGNALS[ending])

    outside.process.communicate(timeout=60)

    outside.wait_until(lambda: outside.leftovers() == [])
