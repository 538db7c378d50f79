"""`labkit build`, run as a person runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a folder that labkit runs from, with lessons and notebooks."""
    for name in ("labkit", "lessons", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def build(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "labkit", "build", *arguments], cwd=clone, capture_output=True, text=True
    )


def test_check_passes_for_what_is_committed(clone: Path) -> None:
    checked = build(clone, "--check")

    assert (checked.returncode, checked.stdout) == (0, "")


def test_check_names_a_notebook_that_differs_and_leaves_it_alone(clone: Path) -> None:
    notebook = clone / "notebooks" / "00_the_story.ipynb"
    notebook.write_text("{}")
    checked = build(clone, "--check")

    assert checked.returncode == 1
    assert checked.stdout == "00_the_story.ipynb differs from its lesson; `labkit build` makes it anew\n"
    assert notebook.read_text() == "{}"


def test_it_makes_what_differs(clone: Path) -> None:
    notebook = clone / "notebooks" / "00_the_story.ipynb"
    notebook.unlink()
    made = build(clone)

    assert (made.returncode, made.stdout) == (0, "made 00_the_story.ipynb\n")
    assert notebook.read_bytes() == (ROOT / "notebooks" / "00_the_story.ipynb").read_bytes()


def test_the_solved_notebooks_and_the_notes_go_where_they_are_wanted(clone: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "for instructors"
    before = {path.name: path.read_bytes() for path in (clone / "notebooks").glob("*.ipynb")}
    finished = build(clone, "--solved", str(wanted))

    assert finished.returncode == 0, finished.stderr
    solution = (clone / "lessons" / "ch04_houston" / "solution.py").read_text()
    solved = json.loads((wanted / "04_houston.solved.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in solved["cells"]]
    assert f"%%exercise ch04_houston\n{solution.strip()}" in cells
    notes = (wanted / "04_houston.instructor.md").read_text()
    assert "## Mends that are not, and why" in notes
    assert solution.strip() in notes
    assert {path.name: path.read_bytes() for path in (clone / "notebooks").glob("*.ipynb")} == before
