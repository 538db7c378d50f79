"""The IPython extension `labkit`: what a cell leaves behind is reported under that cell, not under a later one."""

from __future__ import annotations

import gc
import warnings
from typing import Any

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """
    Load with `%load_ext labkit`: collect garbage after each cell, and show what Python says of leaks.

    Python hides `ResourceWarning`, and tells of a coroutine that nobody awaited only once for each line.
    """
    warnings.filterwarnings("always", category=ResourceWarning)
    warnings.filterwarnings("always", message=".* was never awaited", category=RuntimeWarning)
    shell.events.register("post_run_cell", collect_garbage)


def unload_ipython_extension(shell: Any) -> None:
    """Collect no more garbage; the warnings stay on."""
    shell.events.unregister("post_run_cell", collect_garbage)


def collect_garbage(result: Any = None) -> None:
    """Collect what the cell has dropped: its finalisers run now, and print where the cell prints."""
    gc.collect()
