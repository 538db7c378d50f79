"""Notebooks are made from lessons: always the same, without outputs, and nothing of the machine in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labkit.course.build import build, find_stale, render
from labkit.course.lessons import Lesson

TEXT = """# A title

Some prose.

```{code-cell}
1 + 1
```

```{code-cell}
---
silent-failure: never awaited
tags: [raises-exception]
---
1 + 1
```

```{code-cell}
1 + 1
```
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    lesson = Lesson("00_it", "It", 1, (), tmp_path, tmp_path / "00_it.ipynb")
    lesson.text.write_text(TEXT)
    return lesson


def test_the_same_text_makes_the_same_bytes() -> None:
    assert render(TEXT) == render(TEXT)


def test_cells_keep_their_text_and_what_they_declare() -> None:
    prose, first, second, _ = json.loads(render(TEXT))["cells"]

    assert "".join(prose["source"]) == "# A title\n\nSome prose."
    assert (first["source"], first["outputs"], first["execution_count"]) == (["1 + 1"], [], None)
    assert second["metadata"] == {"silent-failure": "never awaited", "tags": ["raises-exception"]}


def test_every_cell_has_an_id_of_its_own_that_an_inserted_cell_does_not_change() -> None:
    before = [cell["id"] for cell in json.loads(render(TEXT))["cells"]]
    after = [cell["id"] for cell in json.loads(render(f"# New\n\n+++\n\n{TEXT}"))["cells"]]

    assert len(set(before)) == len(before) == 4
    assert after[1:] == before


def test_nothing_of_a_machine_is_in_it() -> None:
    made = render(f"---\nkernelspec:\n  name: other\n  display_name: Python 3 (at home)\n---\n\n{TEXT}")

    assert json.loads(made)["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_a_missing_notebook_is_made_once(lesson: Lesson) -> None:
    assert lesson.notebook in build([lesson])
    assert lesson.notebook.read_text() == render(TEXT)
    assert build([lesson]) == []


def test_a_notebook_that_differs_is_stale_and_is_made_anew(lesson: Lesson) -> None:
    build([lesson])
    lesson.notebook.write_text(lesson.notebook.read_text().replace("1 + 1", "1 + 2", 1))

    assert find_stale([lesson]) == [lesson.notebook]
    assert build([lesson]) == [lesson.notebook]
    assert find_stale([lesson]) == []


def test_to_look_writes_nothing(lesson: Lesson) -> None:
    assert lesson.notebook in find_stale([lesson])
    assert not lesson.notebook.exists()


def test_the_list_of_the_chapters_names_each_and_links_to_its_notebook(lesson: Lesson) -> None:
    contents, _ = build([lesson])
    text = "".join("".join(cell["source"]) for cell in json.loads(contents.read_text())["cells"])

    assert contents == lesson.notebook.with_name("index.ipynb")
    assert f"[{lesson.title}]({lesson.notebook.name})" in text
    assert f"{lesson.minutes} minutes" in text
    assert all(objective in text for objective in lesson.objectives)
    assert find_stale([replace(lesson, title="Another")]) == [contents]
