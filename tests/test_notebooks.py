"""The committed notebooks are what the lessons make, small to read, and pass on every provider with a server."""

from __future__ import annotations

import ast
import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from labkit.course.build import find_stale
from labkit.course.lessons import Lesson, load_lessons
from labkit.course.run import run_notebook
from labkit.course.verdict import Verdict
from labkit.notebook import environment_for_kernels
from labkit.notebook.kernel import kernel_command
from labkit.services import Services

LESSONS = load_lessons(Path(__file__).parents[1])
# A kernel for each notebook takes most of the time of a test run: the story in core, the others for each change.
# With SQLAlchemy 2.0 the story's program prints more than its cells declare (`tests/bench/story_prints.py`).
STORY = pytest.param(LESSONS[0], marks=pytest.mark.skipif(sqlalchemy.__version__ < "2.1", reason="it prints more"))
FIRST_IN_CORE = [STORY, *(pytest.param(lesson, marks=pytest.mark.push) for lesson in LESSONS[1:])]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def cells(lesson: Lesson, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(lesson.notebook.read_text())["cells"] if cell["cell_type"] == kind]


def code(lesson: Lesson) -> list[str]:
    """Return the Python of each cell, without the lines that are for IPython."""
    sources = ["".join(cell["source"]).splitlines() for cell in cells(lesson, "code")]
    return ["\n".join(line for line in source if not line.startswith("%")) for source in sources]


def prose(lesson: Lesson) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells(lesson, "markdown"))


def test_the_committed_notebooks_are_what_the_lessons_make() -> None:
    assert find_stale(LESSONS) == []


@each_lesson
def test_cells_are_small(lesson: Lesson) -> None:
    lengths = [len(source.splitlines()) for source in code(lesson)]

    assert statistics.median(lengths) <= 5
    assert max(lengths) <= 30


@each_lesson
def test_no_output_is_committed(lesson: Lesson) -> None:
    assert [cell for cell in cells(lesson, "code") if cell["outputs"] or cell["execution_count"]] == []


@each_lesson
def test_only_public_names_are_used(lesson: Lesson) -> None:
    names = [
        node.attr if isinstance(node, ast.Attribute) else node.name
        for source in code(lesson)
        for node in ast.walk(compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        if isinstance(node, ast.Attribute | ast.alias)
    ]

    assert [name for name in names if name.startswith("_") and not name.endswith("__")] == []


@pytest.mark.parametrize("lesson", LESSONS[1:], ids=lambda lesson: lesson.name)
def test_claims_are_followed_by_proof(lesson: Lesson) -> None:
    # Those of the story are proved beside it, by `tests/course/test_story.py`: there is no assert in its notebook.
    claims = [source for source in code(lesson) if source and not source.startswith(("predict(", "#"))]

    assert sum("assert " in source for source in claims) >= len(claims) / 3


@each_lesson
def test_what_is_to_be_predicted_says_so_and_is_measured(lesson: Lesson) -> None:
    source = "\n".join(code(lesson))
    predicted = re.findall(r'^predict\("([^"]+)", \.\.\.\)$', source, re.MULTILINE)

    assert len(predicted) >= 3
    assert re.findall(r'\bmeasured\("([^"]+)", ', source) == predicted
    before = ""
    for cell in json.loads(lesson.notebook.read_text())["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            before = text
        assert not text.startswith("predict(") or "**Predict.**" in before, text


@each_lesson
def test_it_says_its_limits_its_sources_and_its_minutes(lesson: Lesson) -> None:
    assert f"# {lesson.title}\n" in prose(lesson)
    assert "## Limitations\n" in prose(lesson)
    assert "## Sources\n" in prose(lesson)
    assert f"about {lesson.minutes} minutes" in prose(lesson)


@pytest.mark.parametrize("lesson", FIRST_IN_CORE, ids=lambda lesson: lesson.name)
def test_it_passes_from_top_to_bottom(lesson: Lesson, clean_services: Services) -> None:
    finished = run_notebook(
        lesson.notebook,
        kernel=kernel_command("--HistoryManager.enabled=False"),
        environment=environment_for_kernels(clean_services),
    )

    assert [str(fault) for fault in finished.faults] == []
    assert finished.verdict is Verdict.PASSED
    assert finished.cells == len(code(lesson))


@pytest.mark.push
def test_opened_without_labkit_it_starts_its_own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABKIT_PROVIDER", raising=False)
    finished = run_notebook(LESSONS[0].notebook, kernel=kernel_command("--HistoryManager.enabled=False"))

    assert [str(fault) for fault in finished.faults] == []
