"""While the processors are kept busy they are busy, and nothing is left of it."""

from __future__ import annotations

import os
import time

import psutil
import pytest

from labkit.course.stress import busy_processors

BUSY = ["-I", "-S", "-c", "while True: pass"]


def busy() -> list[psutil.Process]:
    """Return the processes below this one that are busy for nothing."""
    below = psutil.Process().children(recursive=True)
    return [process for process in below if process.cmdline()[1:] == BUSY]


@pytest.mark.learner_path
def test_each_processor_has_a_busy_process_until_the_block_ends() -> None:
    with busy_processors():
        while len(found := busy()) < (os.cpu_count() or 1):
            time.sleep(0.01)

    assert len(found) == os.cpu_count()
    assert not any(process.is_running() for process in found)


def test_an_error_in_the_block_ends_them_too() -> None:
    before = set(psutil.Process().children())
    with pytest.raises(LookupError), busy_processors():
        raise LookupError

    assert set(psutil.Process().children()) == before
