"""The IPython extension `labkit`: `%flight`, `%%exercise`, and under each cell what it left behind."""

from __future__ import annotations

import gc
import warnings
from typing import Any

from labkit.notebook.exercise import exercise_magic
from labkit.notebook.flight import flight_of

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """
    Load with `%load_ext labkit`: collect garbage after each cell, and show what Python says of leaks.

    Python hides `ResourceWarning`, and warns only once for each line of a coroutine that was never awaited.
    `%flight` is the flight recorder, which is off until `%flight on`. `%%exercise` keeps a cell as your file, and
    judges it.
    """
    warnings.filterwarnings("always", category=ResourceWarning)
    warnings.filterwarnings("always", message=".* was never awaited", category=RuntimeWarning)
    shell.events.register("post_run_cell", collect_garbage)
    shell.register_magic_function(flight_of(shell).magic, "line", "flight")
    shell.register_magic_function(exercise_magic, "cell", "exercise")


def unload_ipython_extension(shell: Any) -> None:
    """Collect no more garbage, and record no more; the warnings stay on."""
    shell.events.unregister("post_run_cell", collect_garbage)
    flight_of(shell).off()
    shell.magics_manager.magics["line"].pop("flight", None)
    shell.magics_manager.magics["cell"].pop("exercise", None)


def collect_garbage(result: Any = None) -> None:
    """Collect what the cell has dropped: its finalisers run now, and print where the cell prints."""
    gc.collect()
