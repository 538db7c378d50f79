"""Imports point down, and no module imports itself by a detour."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text()
    for path in (ROOT / "labkit").rglob("*.py")
}


def statements_at_import(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported: nothing inside functions, nothing for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.stmt):
            yield child
        yield from statements_at_import(child)


def imported_modules(source: str, modules: Collection[str]) -> Iterator[str]:
    for statement in statements_at_import(ast.parse(source)):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            for alias in statement.names:
                submodule = f"{statement.module}.{alias.name}"
                yield submodule if submodule in modules else statement.module


def find_cycle(sources: Mapping[str, str]) -> list[str]:
    """One cycle of imports among these modules, or nothing."""
    graph = {
        name: set(imported_modules(source, sources)) & set(sources) - {name} for name, source in sources.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    main = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", main, "--no-cache", "--no-logo"],
        cwd=root,  # comes first on the path, before the labkit that is installed
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_imports_point_down() -> None:
    linted = lint_imports(ROOT)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.slow
def test_an_import_that_points_up_is_found(tmp_path: Path) -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(pyproject)
    (tmp_path / "labkit").mkdir()
    (tmp_path / "labkit" / "__init__.py").touch()
    for layer in tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"][0]["layers"]:
        for module in layer.split(" | "):
            if not module.startswith("("):
                (tmp_path / "labkit" / f"{module}.py").touch()
    (tmp_path / "labkit" / "errors.py").write_text("import labkit.settings\n")

    linted = lint_imports(tmp_path)

    assert linted.returncode == 1
    assert "labkit.errors is not allowed to import labkit.settings" in linted.stdout


def test_no_import_comes_back_to_where_it_started() -> None:
    assert find_cycle(SOURCES) == []


def test_a_cycle_is_found() -> None:
    cycle = find_cycle({"a": "import b", "b": "try:\n    from c import d\nfinally:\n    pass", "c": "import a"})

    assert set(cycle) == {"a", "b", "c"}


def test_an_import_inside_a_function_or_for_the_type_checker_makes_no_cycle() -> None:
    late = "if TYPE_CHECKING:\n    import a\n\ndef later():\n    import a"

    assert find_cycle({"a": "import b", "b": late}) == []
