"""While the processors are kept busy they are busy, and nothing is left of it."""

from __future__ import annotations

import os

import psutil
import pytest

from labkit.course.stress import busy_processors


@pytest.mark.learner_path
def test_each_processor_has_a_busy_process_until_the_block_ends() -> None:
    before = set(psutil.Process().children())
    with busy_processors():
        busy = set(psutil.Process().children()) - before
        assert len(busy) == os.cpu_count()
        assert all(process.is_running() for process in busy)

    assert not any(process.is_running() for process in busy)


def test_an_error_in_the_block_ends_them_too() -> None:
    before = set(psutil.Process().children())
    with pytest.raises(LookupError), busy_processors():
        raise LookupError

    assert set(psutil.Process().children()) == before
