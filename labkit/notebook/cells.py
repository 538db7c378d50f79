"""Cells by the number that stands beside them: where code of a notebook's is, as its reader knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.recorder.snapshot import Place, Record

__all__ = ["name_cells", "words"]

_CELL = "cell "
_RUNS_A_CELL = "InteractiveShell.run_cell_async"  # the kernel's own task


def name_cells(record: Record, shell: Any, cells: Mapping[str, str]) -> Record:
    """
    Name each line of a cell by its cell, not by the temporary file in which the kernel compiled it.

    So too the task in which the kernel ran it: `cells` gives the cell for each owner of recorded work. A cell that
    was run twice has the number that stands beside it now.
    """
    files = {place.file for stack in record.places for place in stack}
    compiled = {file: cell for file in files if (cell := _cell(file, shell))}
    record.places = [[_named(place, compiled) for place in stack] for stack in record.places]
    for task in record.tasks:
        if task.test and task.coroutine == _RUNS_A_CELL:
            task.name = cells.get(task.test, "this cell")
        task.test = None  # places say which cell it was
    return record


def words(place: Place | None) -> str:
    """Say a place in a sentence: `in cell [5] line 2 (save_user)`, `in shop.py line 41 (save_user)`."""
    if place is None:
        return "in a library"
    file = place.file if place.file.startswith(_CELL) else place.file.replace("\\", "/").rpartition("/")[2]
    function = "" if place.function == "the cell" else f" ({place.function})"
    return f"in {file} line {place.line}{function}"


def _cell(file: str, shell: Any) -> str | None:
    found = shell.compile.format_code_name(file)  # ("Cell", "In[5]") for what it has compiled
    return f"{_CELL}{found[1].removeprefix('In')}" if found else None


def _named(place: Place, cells: dict[str, str]) -> Place:
    cell = cells.get(place.file)
    if cell is None:
        return place
    return Place(cell, place.line, "the cell" if place.function.startswith(("<", "the module")) else place.function)
