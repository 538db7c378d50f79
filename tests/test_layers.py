"""Imports point down, and no module imports itself by a detour."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text()
    for path in (ROOT / "labkit").rglob("*.py")
}


def statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements, those of functions too: an import that runs late hides a cycle, and does not end it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.stmt):
            yield child
        yield from statements(child)


def imported_modules(source: str, modules: Collection[str]) -> Iterator[str]:
    for statement in statements(ast.parse(source)):
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


def test_no_import_comes_back_to_where_it_started() -> None:
    assert find_cycle(SOURCES) == []


def test_a_cycle_is_found() -> None:
    cycle = find_cycle({"a": "import b", "b": "try:\n    from c import d\nfinally:\n    pass", "c": "import a"})

    assert set(cycle) == {"a", "b", "c"}


def test_an_import_inside_a_function_counts_and_one_for_the_type_checker_does_not() -> None:
    assert find_cycle({"a": "import b", "b": "def later():\n    import a"}) != []
    assert find_cycle({"a": "import b", "b": "if TYPE_CHECKING:\n    import a"}) == []
