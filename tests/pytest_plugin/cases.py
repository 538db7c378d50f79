"""
Run every suite under the plugin and score it: `python tests/pytest_plugin/cases.py` prints each, and how many hold.

With DATABASE_URL set the suites use that server, else SQLite.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUITES = sorted((HERE / "suites").glob("suite_*.py"))


def constant(suite: Path, name: str, default: Any) -> Any:
    for statement in ast.parse(suite.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    return default


def run(
    *arguments: str | Path, folder: Path = HERE / "suites", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder that is a project of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONPATH": str(HERE)} | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def run_suite(suite: Path, mode: str) -> subprocess.CompletedProcess[str]:
    return run(suite.name, f"--flight={mode}", *constant(suite, "OPTIONS", []))


def expected(suite: Path) -> dict[str, list[str]]:
    return dict(constant(suite, "FINDINGS", {}))


def found(output: str, suite: Path | None = None) -> dict[str, list[str]]:
    """Return the codes in the recorder's section of pytest's output by owner, without the name of their suite."""
    _, _, section = output.partition(" flight recorder =")
    owners: dict[str, list[str]] = {}
    owner = ""
    for line in section.splitlines()[1:]:
        if line.startswith("=") or " passed" in line:
            break
        if line and not line.startswith(" "):
            owner = line.removeprefix(f"{suite.name}::") if suite else line
            owners[owner] = []
        elif line and not line.startswith("   "):
            owners[owner].append(line.split()[0])
    return owners


def main() -> int:
    named = 0
    for suite in SUITES:
        result = run_suite(suite, "report")
        right = found(result.stdout, suite) == expected(suite)
        named += right
        print(f"{suite.stem:<28} {'as expected' if right else found(result.stdout, suite)}", flush=True)
        if not right:
            print(result.stdout[-3000:], result.stderr[-1000:], sep="\n")
    print(f"{named} of {len(SUITES)} named")
    return named != len(SUITES)


if __name__ == "__main__":
    sys.exit(main())
