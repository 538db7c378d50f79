"""The list of the chapters, from which a reader begins: a page made of what the index says of the lessons."""

from __future__ import annotations

from pathlib import Path

from labkit.course.lessons import Lesson

__all__ = ["CONTENTS", "contents_of", "notebook_of_contents"]

CONTENTS = "index.ipynb"
BEGINNING = """\
# The course

One question runs through all of it: **who holds a connection, on which loop, for which task?**

Click on a chapter to open it. They tell one story, in this order; each says at its beginning what it needs.
In each you guess, run, look, and find out why; at its end there is a program for you to fix.
`labkit list` in a terminal shows what you have done.
"""


def notebook_of_contents(lessons: list[Lesson]) -> Path:
    """Return where the page is: beside the notebooks that it lists."""
    return lessons[0].notebook.with_name(CONTENTS)


def contents_of(lessons: list[Lesson]) -> str:
    """Return the page as Markdown: each lesson with a link to its notebook, its minutes and its objectives."""
    hours = sum(lesson.minutes for lesson in lessons) / 60
    return "\n".join(
        [BEGINNING, f"It takes about {hours:.0f} hours in all.", *(_chapter(lesson) for lesson in lessons)]
    )


def _chapter(lesson: Lesson) -> str:
    number = int(lesson.name.partition("_")[0])
    objectives = "\n".join(f"- {each}" for each in lesson.objectives)
    return f"\n## {number} · [{lesson.title}]({lesson.notebook.name})\n\n{lesson.minutes} minutes\n\n{objectives}"
