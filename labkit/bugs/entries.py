"""The catalogue's entries: what each broken engine shows, which promises it breaks, and what fixes it."""

from __future__ import annotations

import difflib
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from labkit.errors import InvalidInput, InvalidSetting
from labkit.services.services import Capability

if TYPE_CHECKING:
    from labkit.engine import Engine

__all__ = ["CATALOGUE", "Bug", "Texts", "WrongFix", "bugs", "find_bug"]

CATALOGUE = Path(__file__).parent / "catalogue"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WrongFix(_Entry):
    """What one is tempted to do, and why it does not help."""

    do: str = Field(min_length=1)
    why: str = Field(min_length=1)


class Texts(_Entry):
    """Parts of the texts that a person sees, by driver; none where there is nothing to see."""

    asyncmy: tuple[str, ...]
    aiomysql: tuple[str, ...]
    aiosqlite: tuple[str, ...]

    def of(self, driver: str) -> tuple[str, ...]:
        """Return the texts of one driver; raises `InvalidInput`."""
        if driver not in type(self).model_fields:
            raise InvalidInput(
                f"There is no driver {driver!r}.", remedy=f"Use one of: {', '.join(type(self).model_fields)}."
            )
        return cast("tuple[str, ...]", getattr(self, driver))


class Bug(_Entry):
    """
    One bug: what a user sees, the clauses that it breaks, the recorder's finding, and how to fix it.

    `breaks` are all the clauses that its engine breaks. `finding` is the recorder's code, or empty, and then
    `unseen` says why. `needs` are the capabilities without which it can't be shown.
    """

    name: str = Field(min_length=1)
    class_name: str = Field(alias="bug", min_length=1)
    symptom: str = Field(min_length=1)
    family: str = Field(min_length=1)
    breaks: tuple[str, ...] = Field(min_length=1)
    finding: str
    unseen: str
    needs: tuple[Capability, ...]
    lesson: str = Field(min_length=1)
    fix: str = Field(min_length=1)
    sources: tuple[str, ...] = Field(min_length=1)
    texts: Texts
    wrong_fixes: tuple[WrongFix, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _is_found_or_says_why_not(self) -> Self:
        if bool(self.finding) == bool(self.unseen):
            raise ValueError("give the finding, or say in `unseen` why there is none")
        return self

    def says(self, text: str) -> bool:
        """Return True if a text is in one of its errors, or in anything else of the entry, in any case."""
        return text.casefold() in " ".join(str(value) for value in self.model_dump().values()).casefold()

    @property
    def engine_class(self) -> type[Engine]:
        """
        Return the broken engine; only this imports it, and SQLAlchemy with it.

        Raises `InvalidSetting` if there is none.
        """
        module = f"labkit.bugs.{self.name}"
        try:
            return cast("type[Engine]", getattr(import_module(module), self.class_name))
        except (AttributeError, ModuleNotFoundError) as fault:
            raise InvalidSetting(
                f"The bug {self.name} has no engine: {fault}.",
                remedy=f"Write the class {self.class_name} in {module}, or correct `bug` in {self.name}.toml.",
            ) from fault


def bugs(folder: Path = CATALOGUE) -> list[Bug]:
    """Return every bug of the catalogue by name; raises `InvalidSetting` naming the file that can't be read."""
    return [_read(path) for path in sorted(folder.glob("*.toml"))]


def find_bug(name: str, folder: Path = CATALOGUE) -> Bug:
    """Return the bug of this name; raises `InvalidInput` with the nearest names."""
    path = folder / f"{name}.toml"
    names = sorted(each.stem for each in folder.glob("*.toml"))
    if name in names:
        return _read(path)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    raise InvalidInput(
        f"There is no bug {name!r}.",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "See `labkit bugs list`.",
    )


def _read(path: Path) -> Bug:
    try:
        return Bug(name=path.stem, **tomllib.loads(path.read_text("utf-8")))
    except ValidationError as invalid:
        fault = "; ".join(": ".join([*map(str, each["loc"]), each["msg"]]) for each in invalid.errors())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        fault = str(error)
    raise InvalidSetting(f"{path} can't be used: {fault}.", remedy="Fix it, or restore it.")
