"""The difference of a bug is made from its source, whatever its seam looks like."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from labkit.bugs import Bug, find_bug
from labkit.bugs.difference import changed_lines, compare_source, difference, seam_of
from labkit.engine import Engine
from labkit.errors import InvalidInput

HEAD = "from contextlib import asynccontextmanager\nfrom labkit.engine import Engine\n\n\nclass MadeUp(Engine):\n"
STATIC = '''
    shared: dict[int, str] = {}
    places = (
        1,
    )

    @staticmethod
    def scope(task):
        """Return the key under which the registry keeps the session of `task`."""
        # "Numbers are shorter."
        return id(task)
'''
MANAGER = """
    @asynccontextmanager
    async def step(self):
        yield None
"""
HELPER = """
    def helper(self):
        return 1
"""
Make = Callable[[str], Bug]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Give a function that makes a bug of the body of its class."""

    def make_up(body: str) -> Bug:
        path = tmp_path / "made_up.py"
        path.write_text(HEAD + body)
        spec = spec_from_file_location("labkit.bugs.made_up", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "labkit.bugs.made_up", module)
        spec.loader.exec_module(module)
        return Bug.model_construct(name="made_up", class_name="MadeUp")

    return make_up


def test_attributes_stand_before_the_seam_and_count(make: Make) -> None:
    bug = make(STATIC)
    lines = difference(bug).splitlines()

    assert lines[:2] == ["--- Engine.scope", "+++ MadeUp.scope"]
    assert lines[2:6] == ["+shared: dict[int, str] = {}", "+places = (", "+    1,", "+)"]
    assert lines[6] == " @staticmethod"
    assert '+    # "Numbers are shorter."' in lines
    assert "+    return id(task)" in lines
    # Four lines of attributes; the signature, the reason and the return, each taken away and added.
    assert changed_lines(bug) == 4 + 6


def test_a_context_manager_is_shown_with_its_decorator(make: Make) -> None:
    bug = make(MANAGER)

    assert seam_of(bug) == "step"
    assert " @asynccontextmanager" in difference(bug).splitlines()
    assert "+    yield None" in difference(bug).splitlines()


@pytest.mark.parametrize("body", [HELPER, STATIC + MANAGER])
def test_no_seam_or_two_are_refused(make: Make, body: str) -> None:
    with pytest.raises(InvalidInput, match=r"made_up overrides .*; expected one seam"):
        seam_of(make(body))


def test_a_class_without_a_source_of_its_own_is_compared_by_its_methods(make: Make, tmp_path: Path) -> None:
    made = make(STATIC).engine_class
    made.__module__ = "nowhere"  # as in a notebook

    assert "+shared = {}" in compare_source(Engine, made)


def test_methods_without_a_source_are_refused() -> None:
    told: dict[str, type] = {}
    exec("class Told(Engine):\n    def sessions(self): return None\n", {"Engine": Engine}, told)

    with pytest.raises(InvalidInput, match=r"Nobody knows the source of Told\.sessions"):
        compare_source(Engine, told["Told"])


def test_what_is_no_class_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Expected two classes"):
        compare_source(Engine, find_bug)  # type: ignore[arg-type]
