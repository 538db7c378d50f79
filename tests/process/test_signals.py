"""Signals are heard when they should be, by whom they are meant for."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from labkit.process.signals import signals_held, signals_to

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Give the numbers of the signals that this process has handled."""
    heard: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: heard.append(number))
    yield heard
    signal.signal(signal.SIGHUP, before)


async def test_a_loop_hears_them_for_a_while(heard: list[int]) -> None:
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with signals_to(told.set_result):
        os.kill(os.getpid(), signal.SIGHUP)
        assert await told == signal.SIGHUP
    os.kill(os.getpid(), signal.SIGHUP)

    assert heard == [signal.SIGHUP]


async def test_what_this_process_ignores_stays_ignored(heard: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals_to(heard.append):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)

    assert heard == []


@pytest.mark.parametrize("threads", [0, 1], ids=["alone", "beside a thread that takes them"])
def test_they_are_held_for_the_length_of_a_block(threads: int, heard: list[int]) -> None:
    done = threading.Event()
    others = [threading.Thread(target=done.wait) for _ in range(threads)]
    for each in others:
        each.start()
    with signals_held("SIGHUP"):
        os.kill(os.getpid(), signal.SIGHUP)
        during = list(heard)
    done.set()
    for each in others:
        each.join()

    assert (during, heard) == ([], [signal.SIGHUP])
