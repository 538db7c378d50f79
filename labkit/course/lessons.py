"""Lessons as data: what `lessons/index.toml` says of each, and where its text and its notebook are."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import InvalidInput, InvalidSetting

__all__ = ["Lesson", "choose", "find_checkout", "find_home", "load_lessons", "writing"]


@dataclass(frozen=True)
class Lesson:
    """One lesson; all that it is made of is in `folder`, and `notebook` is made from its text."""

    name: str
    title: str
    minutes: int
    objectives: tuple[str, ...]
    folder: Path
    notebook: Path

    @property
    def text(self) -> Path:
        """Return the source of the notebook."""
        return self.folder / "lesson.md"


def find_checkout() -> Path:
    """
    Return the folder that holds `lessons/` and `notebooks/`.

    It is the source checkout that labkit runs from, or the folder that the command was given in, or one above.
    Raises `InvalidInput`: a wheel holds no notebooks.
    """
    here = Path.cwd()
    for folder in (Path(__file__).parents[2], here, *here.parents):
        if (folder / "lessons" / "index.toml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise InvalidInput(
        f"The notebooks are missing: neither the installed labkit nor {here} has a folder `notebooks`.",
        remedy="Clone labkit's repository and give the command inside it.",
    )


def find_home() -> Path:
    """Return the folder of the learner's own files and progress: LABKIT_HOME, or the checkout."""
    home = os.environ.get("LABKIT_HOME")
    return Path(home) if home else find_checkout()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise `InvalidSetting`, with what to do, when one of the learner's own files can't be written."""
    try:
        yield
    except OSError as fault:
        raise InvalidSetting(
            f"{path} can't be written: {fault.strerror}.", remedy="Set LABKIT_HOME to a folder of yours."
        ) from None


def load_lessons(checkout: Path) -> list[Lesson]:
    """Return the lessons in their order; raises `InvalidSetting` for an index that can't be read."""
    index = checkout / "lessons" / "index.toml"
    try:
        return [_lesson(checkout, entry) for entry in tomllib.loads(index.read_text("utf-8"))["lesson"]]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
        raise InvalidSetting(f"{index} can't be read: {fault!r}.", remedy="Fix it, or restore it.") from None


def _lesson(checkout: Path, entry: dict[str, object]) -> Lesson:
    folder = str(entry["folder"])
    # ch00_the_story is the folder, 00_the_story the notebook: a folder in Python can't begin with a digit.
    name = folder.removeprefix("ch")
    return Lesson(
        name=name,
        title=str(entry["title"]),
        minutes=int(str(entry["minutes"])),
        objectives=tuple(map(str, entry["objectives"])),  # type: ignore[call-overload]
        folder=checkout / "lessons" / folder,
        notebook=checkout / "notebooks" / f"{name}.ipynb",
    )


def choose(lessons: list[Lesson], names: list[str]) -> list[Lesson]:
    """
    Return the lessons called `names`, all of them without names, in the order of the course.

    A name may end in `.ipynb` and have a folder before it; its number alone will do. Raises `InvalidInput` for an
    unknown one, naming the nearest.
    """
    chosen = {_find(lessons, name).name for name in names}
    return [lesson for lesson in lessons if lesson.name in chosen or not names]


def _find(lessons: list[Lesson], name: str) -> Lesson:
    plain = Path(name).name.lower().removesuffix(".ipynb").removeprefix("ch")
    for lesson in lessons:
        number, _, slug = lesson.name.partition("_")
        if plain in (lesson.name, slug) or (plain.isdecimal() and int(plain) == int(number)):
            return lesson
    known = [lesson.name for lesson in lessons]
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.6)
    raise InvalidInput(
        f"There is no notebook {name!r}.",
        remedy=f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}.",
    )
