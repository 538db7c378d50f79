"""A child that is started deaf goes on when somebody presses Ctrl-C."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from multiprocessing.connection import Connection

import pytest

from labkit.scene.spawn import start_deaf

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")]


def interrupt_itself(pipe: Connection) -> None:
    signal.raise_signal(signal.SIGINT)
    pipe.send("goes on")


def test_it_does_not_hear_it_and_who_started_it_hears_it_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=interrupt_itself, args=(theirs,))
    start_deaf(child)
    theirs.close()

    assert ours.recv() == "goes on"
    child.join()
    assert child.exitcode == 0
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    ours.close()
