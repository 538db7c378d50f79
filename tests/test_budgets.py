"""The code stays small enough to be read: budgets only hold if somebody counts."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import labkit

PACKAGE = Path(labkit.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
BUGS = [PACKAGE / "bugs" / f"{path.stem}.py" for path in (PACKAGE / "bugs" / "catalogue").glob("*.toml")]


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def function_lengths(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1


def all_function_lengths() -> list[int]:
    return [length for path in MODULES for length in function_lengths(path.read_text())]


def test_no_module_is_longer_than_400_lines() -> None:
    assert MODULES
    assert {str(path.relative_to(PACKAGE)): lines_of(path) for path in MODULES if lines_of(path) > 400} == {}


def test_half_of_the_functions_have_at_most_8_lines() -> None:
    assert statistics.median(all_function_lengths()) <= 8


def test_nine_in_ten_functions_have_at_most_30_lines() -> None:
    assert statistics.quantiles(all_function_lengths(), n=10)[-1] <= 30


def test_a_bug_fits_on_40_lines() -> None:
    assert {path.name: lines_of(path) for path in BUGS if lines_of(path) > 40} == {}


def test_a_function_is_counted_from_its_name_to_its_last_line() -> None:
    source = "@decorated\ndef outer():\n    def inner():\n        pass\n\n    return inner\n"

    assert sorted(function_lengths(source)) == [2, 5]
