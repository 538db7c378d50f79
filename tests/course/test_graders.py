"""The examples of the instructor's notes, run by the graders that they are for: nbgrader and otter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from labkit.notebook import environment_for_kernels
from labkit.services import Services

pytestmark = [
    pytest.mark.full,
    pytest.mark.providers("embedded"),
    pytest.mark.timeout(300),
]  # a grader takes seconds to import

LESSON = Path(__file__).parents[2] / "lessons" / "ch04_houston"
BEGINNING, NBGRADER, OTTER = re.findall(
    r"^```python\n(.*?)^```$", (LESSON / "instructor.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)
SUBMISSIONS = {
    "ada": LESSON / "right_fixes" / "the_server_is_asked.py",
    "bob": LESSON / "wrong_fixes" / "swallow_it.py",
}
MARKS = {"ada": 1.0, "bob": 0.0}
NBGRADER_COURSE = """
import json
from nbgrader.apps import NbGraderAPI

api = NbGraderAPI()
assert api.generate_assignment("houston")["success"]
for who in api.get_submitted_students("houston"):
    assert api.autograde("houston", who)["success"]
with api.gradebook as book:
    print(json.dumps({each.student.id: each.score for each in book.find_assignment("houston").submissions}))
"""


@pytest.fixture
def environment(services: Services) -> dict[str, str]:
    # nbgrader calls `alembic`, which lies beside this Python, whatever PATH says.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, **environment_for_kernels(services), "PATH": path}


def learners_cell(code: Path) -> str:
    return f"%%exercise ch04_houston\n{code.read_text('utf-8')}"


def write(path: Path, *cells: nbformat.NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), path)


def run(*command: str, folder: Path, environment: dict[str, str]) -> str:
    finished = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_nbgrader_gives_the_mark_that_the_check_gives(tmp_path: Path, environment: dict[str, str]) -> None:
    def cell(source: str, name: str, *, graded: bool, changed: bool) -> nbformat.NotebookNode:
        kind = {"grade": graded, "solution": changed, "locked": not changed, "task": False, "schema_version": 3}
        points = {"points": 1} if graded else {}
        return new_code_cell(source, metadata={"nbgrader": {"grade_id": name, **kind, **points}})

    def notebook(code: Path) -> list[nbformat.NotebookNode]:
        return [
            cell(BEGINNING, "beginning", graded=False, changed=False),
            cell(learners_cell(code), "exercise", graded=False, changed=True),
            cell(NBGRADER, "check", graded=True, changed=False),
        ]

    write(tmp_path / "source" / "houston" / "houston.ipynb", *notebook(LESSON / "exercise.py"))
    for who, code in SUBMISSIONS.items():
        write(tmp_path / "submitted" / who / "houston" / "houston.ipynb", *notebook(code))
    told = run("-c", NBGRADER_COURSE, folder=tmp_path, environment=environment)
    assert json.loads(told.splitlines()[-1]) == MARKS


@pytest.mark.parametrize("who", SUBMISSIONS)
def test_otter_gives_the_mark_that_the_check_gives(who: str, tmp_path: Path, environment: dict[str, str]) -> None:
    write(tmp_path / "houston.ipynb", new_code_cell(BEGINNING), new_code_cell(learners_cell(SUBMISSIONS[who])))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "ch04_houston.py").write_text(OTTER, "utf-8")
    told = run(
        "-m", "otter", "check", "houston.ipynb", "-q", "ch04_houston", folder=tmp_path, environment=environment
    )
    assert ("All tests passed!" in told) == bool(MARKS[who]), told
