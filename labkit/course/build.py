"""Notebooks made from lessons: the same bytes from the same text, on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from labkit.course.lessons import Lesson

__all__ = ["build", "find_stale", "render"]

# Named so that JupyterLab asks nobody which kernel to take; nothing in it depends on a machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def render(text: str) -> str:
    """Return the notebook made from a lesson's MyST text: no outputs, and ids that follow from the cells' text."""
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata = NotebookNode(METADATA)  # type: ignore[no-untyped-call]
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell.id = _id(cell, seen)
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def _id(cell: Any, seen: Counter[str]) -> str:
    # The id follows the text and not the place: an inserted cell leaves the ids of the others alone.
    told = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
    seen[told] += 1
    return told if seen[told] == 1 else f"{told}-{seen[told]}"


def find_stale(lessons: list[Lesson]) -> list[Path]:
    """Return the notebooks that differ from what their lessons make."""
    return [lesson.notebook for lesson in lessons if _made(lesson) != _committed(lesson.notebook)]


def build(lessons: list[Lesson]) -> list[Path]:
    """Make the notebooks of `lessons` anew; return those that were written, since they differed."""
    stale = set(find_stale(lessons))
    for lesson in lessons:
        if lesson.notebook in stale:
            lesson.notebook.write_bytes(_made(lesson))
    return sorted(stale)


def _made(lesson: Lesson) -> bytes:
    return render(lesson.text.read_text("utf-8")).encode()


def _committed(notebook: Path) -> bytes | None:
    return notebook.read_bytes() if notebook.exists() else None
