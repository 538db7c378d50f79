"""Stress: both processors busy with something else, so that an order that only seems certain shows itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from labkit.process import Program

__all__ = ["busy_processors"]


@contextmanager
def busy_processors() -> Iterator[None]:
    """Keep each processor busy with one process while the block runs."""
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            stack.callback(Program([sys.executable, "-I", "-S", "-c", "while True: pass"]).end)
        yield
