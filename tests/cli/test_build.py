"""`labkit build`: what it makes, what it prints, and its exit status."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Labkit

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path, runs_from: Callable[[Path], None]) -> Path:
    """Give a folder that labkit runs from, with lessons and notebooks."""
    for name in ("lessons", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    runs_from(tmp_path)
    return tmp_path


def test_check_passes_for_what_is_committed(labkit: Labkit, clone: Path) -> None:
    checked = labkit("build", "--check")

    assert (checked.returncode, checked.stdout) == (0, "")


def test_check_names_a_notebook_that_differs_and_leaves_it_alone(labkit: Labkit, clone: Path) -> None:
    notebook = clone / "notebooks" / "00_the_story.ipynb"
    notebook.write_text("{}")
    checked = labkit("build", "--check")

    assert checked.returncode == 1
    assert checked.stdout == "00_the_story.ipynb differs from its lesson; `labkit build` makes it anew\n"
    assert notebook.read_text() == "{}"


def test_it_makes_what_differs(labkit: Labkit, clone: Path) -> None:
    notebook = clone / "notebooks" / "00_the_story.ipynb"
    notebook.unlink()
    made = labkit("build")

    assert (made.returncode, made.stdout) == (0, "made 00_the_story.ipynb\n")
    assert notebook.read_bytes() == (ROOT / "notebooks" / "00_the_story.ipynb").read_bytes()


def test_the_solved_notebooks_and_the_notes_go_where_they_are_wanted(
    labkit: Labkit, clone: Path, tmp_path: Path
) -> None:
    wanted = tmp_path / "for instructors"
    before = {path.name: path.read_bytes() for path in (clone / "notebooks").glob("*.ipynb")}
    finished = labkit("build", "--solved", str(wanted))

    assert finished.returncode == 0, finished.stderr
    solution = (clone / "lessons" / "ch04_houston" / "solution.py").read_text()
    solved = json.loads((wanted / "04_houston.solved.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in solved["cells"]]
    assert f"%%exercise ch04_houston\n{solution.strip()}" in cells
    notes = (wanted / "04_houston.instructor.md").read_text()
    assert "## Fixes that are not, and why" in notes
    assert solution.strip() in notes
    assert {path.name: path.read_bytes() for path in (clone / "notebooks").glob("*.ipynb")} == before
