"""Every bug is the correct engine but for one seam, and small enough to be seen at one glance."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import labkit.bugs
from labkit.bugs import Bug, bugs
from labkit.bugs.difference import changed_lines, difference, seam_of
from labkit.bugs.entries import CATALOGUE
from labkit.engine import CoreEngine, Engine

FOLDER = Path(labkit.bugs.__file__).parent
AROUND = {"__init__", "difference", "entries"}  # the modules here that are no bugs
GIVEN = {"__module__", "__doc__", "__qualname__", "__annotations__", "__firstlineno__", "__static_attributes__"}

each_bug = pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)


def source(bug: Bug) -> str:
    return (FOLDER / f"{bug.name}.py").read_text()


def functions(engine_class: type) -> set[str]:
    own = {name: inspect.unwrap(getattr(engine_class, name)) for name in vars(engine_class)}
    return {name for name, value in own.items() if inspect.isroutine(value) or isinstance(value, property)} - GIVEN


def imports(text: str) -> set[str]:
    """The modules that a source imports, whatever way it names them."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_every_file_has_an_entry_and_every_entry_a_file() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - AROUND

    assert files == {path.stem for path in CATALOGUE.glob("*.toml")}


@each_bug
def test_it_overrides_one_seam_and_nothing_else(bug: Bug) -> None:
    assert bug.engine_class.__mro__[1] is Engine
    assert functions(bug.engine_class) == {seam_of(bug)}
    documented = "".join(inspect.getdoc(each) or "" for each in (CoreEngine, Engine))
    assert f"`{seam_of(bug)}`" in documented


@each_bug
def test_what_it_holds_besides_is_its_own(bug: Bug) -> None:
    besides = set(vars(bug.engine_class)) - GIVEN - functions(bug.engine_class)

    assert {name for name in besides if hasattr(Engine, name)} <= {"__abstractmethods__", "_abc_impl"}


@each_bug
def test_its_seam_has_the_signature_and_the_promise_of_the_correct_one(bug: Bug) -> None:
    seam = seam_of(bug)
    broken, correct = getattr(bug.engine_class, seam), getattr(Engine, seam)

    assert inspect.signature(broken) == inspect.signature(correct)
    assert broken.__doc__ == correct.__doc__
    assert type(vars(bug.engine_class)[seam]) is type(inspect.getattr_static(Engine, seam))


@each_bug
def test_it_changes_at_most_nine_lines(bug: Bug) -> None:
    assert 1 <= changed_lines(bug) <= 9, difference(bug)


@each_bug
def test_it_fits_on_40_lines(bug: Bug) -> None:
    assert len(source(bug).splitlines()) <= 40


@each_bug
def test_it_imports_no_other_bug(bug: Bug) -> None:
    assert [name for name in imports(source(bug)) if name.startswith((".", "labkit.bugs"))] == []


@each_bug
def test_its_docstring_says_what_it_is_and_names_the_sources_of_its_entry(bug: Bug) -> None:
    told = ast.get_docstring(ast.parse(source(bug))) or ""

    assert re.match(r"BUG: \S", told)
    assert "\nSymptom: " in told
    assert re.findall(r"https?://[^\s,]+", told.partition("\nSources:")[2]) == list(bug.sources)


@each_bug
def test_it_warns_of_two_wrong_fixes(bug: Bug) -> None:
    assert len({wrong.do for wrong in bug.wrong_fixes}) >= 2


@each_bug
def test_its_excuse_stands_in_quotes_where_the_reason_stood(bug: Bug) -> None:
    assert re.search(r'^\+ +# "', difference(bug), re.MULTILINE)


def test_the_difference_of_the_story_is_its_registry() -> None:
    [bug] = [each for each in bugs() if each.name == "registry_rebuilt"]

    assert difference(bug).splitlines()[:2] == ["--- Engine.sessions", "+++ RegistryRebuilt.sessions"]
    assert "-    return self.registry" in difference(bug).splitlines()
    assert changed_lines(bug) == 4
