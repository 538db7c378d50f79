"""Stress: both processors busy with something else, so that an order that only seems certain shows itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["busy_processors"]

# It ends by itself when its parent is gone, killed perhaps, and could not end it.
BUSY = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""


@contextmanager
def busy_processors() -> Iterator[None]:
    """Keep each processor busy with a process of its own while the block runs."""
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            process = subprocess.Popen([sys.executable, "-I", "-S", "-c", BUSY], stdin=subprocess.PIPE)
            stack.enter_context(process)
            stack.callback(process.kill)
        yield
