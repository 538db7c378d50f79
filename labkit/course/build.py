"""Notebooks made from lessons: the same bytes from the same text, on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from labkit.course.contents import contents_of, notebook_of_contents
from labkit.course.lessons import Lesson
from labkit.course.notes import notes_of

__all__ = ["build", "build_solved", "find_stale", "render"]

EXERCISE = "%%exercise "

# Named so that JupyterLab does not ask which kernel to take; nothing in it depends on a machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def render(text: str, exercise: str = "") -> str:
    """
    Return the notebook made from a lesson's MyST text: no outputs, and ids that follow from the cells' text.

    A cell that is only `%%exercise …` gets the code of the exercise, or of its solution.
    """
    notebook = jupytext.reads(text, fmt="md:myst")
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith(EXERCISE) and "\n" not in cell.source:
            cell.source = f"{cell.source}\n{exercise.strip()}"
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
    """Return the notebooks that differ from what the lessons make: one of each, and the list of all."""
    return [notebook for notebook, made in _wanted(lessons).items() if made != _committed(notebook)]


def build(lessons: list[Lesson]) -> list[Path]:
    """Make the notebooks of `lessons` anew; return those that were written, since they differed."""
    stale, wanted = find_stale(lessons), _wanted(lessons)
    for notebook in stale:
        notebook.write_bytes(wanted[notebook])
    return stale


def build_solved(lessons: list[Lesson], folder: Path) -> list[Path]:
    """Write each notebook with its solution, and the instructor's notes on it; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in lessons:
        solved = folder / f"{lesson.name}.solved.ipynb"
        solved.write_bytes(_made(lesson, "solution.py"))
        notes = folder / f"{lesson.name}.instructor.md"
        notes.write_text(notes_of(lesson), "utf-8")
        written += [solved, notes]
    return written


def _wanted(lessons: list[Lesson]) -> dict[Path, bytes]:
    made = {lesson.notebook: _made(lesson) for lesson in lessons}
    return {notebook_of_contents(lessons): render(contents_of(lessons)).encode()} | made


def _made(lesson: Lesson, exercise: str = "exercise.py") -> bytes:
    code = lesson.folder / exercise
    return render(lesson.text.read_text("utf-8"), code.read_text("utf-8") if code.exists() else "").encode()


def _committed(notebook: Path) -> bytes | None:
    return notebook.read_bytes() if notebook.exists() else None
