"""The instructor's notes on a lesson: what its author writes, and what its files say."""

from __future__ import annotations

from labkit.course.exercises import Exercise
from labkit.course.lessons import Lesson

__all__ = ["notes_of"]


def notes_of(lesson: Lesson) -> str:
    """Return the notes on a lesson as Markdown."""
    parts = [f"# {lesson.title}", f"{lesson.minutes} minutes. Who has done it can:"]
    parts.append("\n".join(f"- {objective}" for objective in lesson.objectives))
    authors = lesson.folder / "instructor.md"
    if authors.is_file():
        parts.append(authors.read_text("utf-8").strip())
    if (lesson.folder / "exercise.py").is_file():
        parts += _of_exercise(Exercise(lesson.folder.name, lesson.title, lesson.minutes, lesson.folder))
    return "\n\n".join(parts) + "\n"


def _of_exercise(exercise: Exercise) -> list[str]:
    wrong = "\n".join(f"- **{fix.tried}** Fails `{fix.fails}`: {fix.because}" for fix in exercise.wrong_fixes())
    hints = "\n".join(f"{number}. {hint}" for number, hint in enumerate(exercise.hints(), 1))
    right = "\n".join(f"- `right_fixes/{path.name}`" for path in exercise.right_fixes())
    return [
        "## The exercise",
        f"```python\n{exercise.solution.read_text('utf-8').strip()}\n```",
        f"## Other fixes that are right\n\n{right}",
        f"## Fixes that are not, and why\n\n{wrong}",
        f"## Hints\n\n{hints}",
    ]
