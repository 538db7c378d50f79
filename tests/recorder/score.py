"""
Score the flight recorder on the corpus: every program under `labkit diagnose`, its findings against its own marks.

    labkit services exec --provider local -- python tests/recorder/score.py
    labkit services exec --provider local -- python tests/recorder/score.py --part tuned --only leak

Wants DATABASE_URL (mysql+asyncmy://…) and REDIS_URL; aiosqlite gets a new file for each program. Prints recall,
precision, clean programs flagged and right lines, for each driver, the tuned and the frozen part apart, and each
difference. Exit status 1 when a goal is missed, or a program failed: one that gave no report is not a clean one.

Recall is the share of marked findings that were given; precision the share of given ones that were marked; a line
is right when it lies in the statement that carries the mark.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
DRIVERS = ("asyncmy", "aiomysql", "aiosqlite")
# On Python 3.14 nest_asyncio hides the current task, and a MySQL driver can't connect without one.
LACKS = {"nest_asyncio"} if sys.version_info >= (3, 14) else set()
GOALS = {"tuned": (0.95, 0.98), "frozen": (0.90, 0.95)}
RIGHT_LINES = 0.99

_MARK = re.compile(r"#\s*finding:\s*(?P<codes>[a-z -]+?)\s*(?:\((?P<drivers>[a-z ]+)\))?\s*$")
_HEADER = re.compile(r"^# (drivers|needs|timeout|exit): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """One file of the corpus, and what it says of itself."""

    path: Path
    part: str
    broken: bool
    headers: dict[str, str]
    marks: tuple[tuple[str, int, tuple[str, ...]], ...]  # code, line, drivers
    statements: dict[int, int] = field(repr=False)  # line: where its statement begins

    @property
    def drivers(self) -> tuple[str, ...]:
        return tuple(self.headers.get("drivers", " ".join(DRIVERS)).split())

    def expected(self, driver: str) -> list[tuple[str, int]]:
        return [(code, line) for code, line, drivers in self.marks if driver in drivers]


@dataclass
class Result:
    """What one program gave on one driver."""

    program: Program
    driver: str
    found: list[tuple[str, int | None]] = field(default_factory=list)  # code, statement
    trouble: str = ""

    def matched(self) -> list[tuple[bool, str]]:
        """Return, for each expected finding that was given, whether its line was right."""
        left = list(self.found)
        pairs = []
        for code, line in self.program.expected(self.driver):
            same = [each for each in left if each[0] == code]
            if same:
                best = next((each for each in same if each[1] == line), same[0])
                left.remove(best)
                pairs.append((best[1] == line, code))
        return pairs

    def differs(self) -> bool:
        return bool(self.trouble) or sorted(self.found, key=str) != sorted(
            self.program.expected(self.driver), key=str
        )


def read(path: Path) -> Program:
    """Return a program with its headers and marks."""
    text = path.read_text(encoding="utf-8")
    statements = dict(_statements(ast.parse(text)))
    marks = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _MARK.search(line)
        if match:
            drivers = tuple((match["drivers"] or " ".join(DRIVERS)).split())
            marks += [(code, statements.get(number, number), drivers) for code in match["codes"].split()]
    part, kind = path.parent.parent.name, path.parent.name
    return Program(path, part, kind == "broken", dict(_HEADER.findall(text)), tuple(marks), statements)


def _statements(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Give each line the line at which its statement begins; of a compound statement only the lines of its head."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.ExceptHandler)):
            body = getattr(node, "body", None)
            last = node.end_lineno or node.lineno
            if body and isinstance(body, list):
                last = max(node.lineno, body[0].lineno - 1)
            for line in range(node.lineno, last + 1):
                yield line, node.lineno


def url_of(driver: str, folder: str) -> str:
    """Return the URL that makes a program use a driver."""
    if driver == "aiosqlite":
        return f"sqlite+aiosqlite:///{folder}/corpus.db"
    return re.sub(r"^mysql(\+\w+)?:", f"mysql+{driver}:", os.environ["DATABASE_URL"])


def run(program: Program, driver: str) -> Result:
    """Run a program under `labkit diagnose` and return what was found."""
    result = Result(program, driver)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "findings.json")
        timeout = program.headers.get("timeout", "30")
        command = [sys.executable, "-m", "labkit", "diagnose", "--output", str(output), "--timeout", timeout]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment["DATABASE_URL"] = url_of(driver, folder)
        done = subprocess.run(
            [*command, str(program.path)], env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        if not output.exists():
            result.trouble = f"no report (exit {done.returncode}): {done.stderr[-300:]}"
            return result
        report = json.loads(output.read_text(encoding="utf-8"))
    result.trouble = trouble(program, report)
    result.found = [found(program, each) for each in report["findings"]]
    return result


def trouble(program: Program, report: dict[str, Any]) -> str:
    """Say what went wrong beside the findings."""
    status, wanted = report["exit_status"], int(program.headers.get("exit", "0"))
    if "timeout" not in program.headers and status != wanted:
        return f"the program ended with {status} instead of {wanted}"
    return "; ".join(report["faults"])


def found(program: Program, finding: dict[str, Any]) -> tuple[str, int | None]:
    """Return a finding's code and the statement it names; no statement when it names another file."""
    where = finding["where"]
    if where is None or Path(where["file"]).resolve() != program.path.resolve():
        return finding["code"], None
    return finding["code"], program.statements.get(where["line"], where["line"])


@dataclass
class Score:
    """Counts for one part of the corpus on one driver."""

    programs: int = 0
    expected: int = 0
    given: int = 0
    matched: int = 0
    lines: int = 0
    clean: int = 0
    flagged: int = 0
    failed: int = (
        0  # programs that gave no report, ended otherwise than they say, or showed a fault of the recorder
    )

    def add(self, result: Result) -> None:
        pairs = result.matched()
        self.programs += 1
        self.expected += len(result.program.expected(result.driver))
        self.given += len(result.found)
        self.matched += len(pairs)
        self.lines += sum(right for right, _ in pairs)
        self.clean += not result.program.broken
        self.flagged += not result.program.broken and bool(result.found)
        self.failed += bool(result.trouble)

    @property
    def recall(self) -> float:
        return self.matched / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        return self.matched / self.given if self.given else 1.0

    @property
    def right(self) -> float:
        return self.lines / self.matched if self.matched else 1.0

    def holds(self, part: str) -> bool:
        recall, precision = GOALS[part]
        right = self.recall >= recall and self.precision >= precision and self.right >= RIGHT_LINES
        return right and not self.flagged and not self.failed


def main() -> int:
    """Run the corpus, print the table, return the exit status."""
    options = parse()
    programs = [read(path) for path in sorted(CORPUS.glob("*/*/*.py"))]
    programs = [each for each in programs if options.part in (None, each.part) and options.only in each.path.stem]
    drivers = [options.driver] if options.driver else DRIVERS
    lacking = LACKS | set(options.lacks.split())
    jobs = [
        (program, driver)
        for driver in drivers
        for program in programs
        if driver in program.drivers and not lacking & set(program.headers.get("needs", "").split())
    ]
    scores: dict[tuple[str, str], Score] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for done, result in enumerate(pool.map(lambda job: run(*job), jobs), 1):
            scores.setdefault((result.driver, result.program.part), Score()).add(result)
            if result.trouble or (result.differs() and not options.counts_only):
                show(result)
            if sys.stderr.isatty():
                print(f"\r{done} of {len(jobs)}", end="", file=sys.stderr, flush=True)
    return report(scores)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Score the flight recorder on the corpus.")
    parser.add_argument("--part", choices=["tuned", "frozen"], help="only this part")
    parser.add_argument("--driver", choices=DRIVERS, help="only this driver")
    parser.add_argument("--only", default="", help="only programs with this in their name")
    parser.add_argument("--lacks", default="", help="leave out programs that need these: redis kill row-locks")
    parser.add_argument("--jobs", type=int, default=2, help="programs at a time")
    parser.add_argument("--counts-only", action="store_true", help="don't print each difference")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        parser.error("DATABASE_URL is not set; run this under `labkit services exec --provider local --`")
    return options


def show(result: Result) -> None:
    """Print one difference."""
    name = f"{result.program.part}/{result.program.path.stem}"
    print(f"{name} on {result.driver}:")
    print(f"    wanted {sorted(result.program.expected(result.driver))}")
    print(f"    found  {sorted(result.found, key=str)}" + (f"  ({result.trouble})" if result.trouble else ""))


def report(scores: dict[tuple[str, str], Score]) -> int:
    """Print the table; return 1 when a goal is missed."""
    print(f"{'driver':10} {'part':7} {'programs':>8} {'failed':>6} {'labels':>6} {'recall':>7} ", end="")
    print(f"{'precision':>9} {'clean flagged':>13} {'right line':>10}")
    held = True
    for (driver, part), score in sorted(scores.items()):
        held &= score.holds(part)
        print(
            f"{driver:10} {part:7} {score.programs:8} {score.failed:6} {score.expected:6} {score.recall:7.3f} "
            f"{score.precision:9.3f} {f'{score.flagged} of {score.clean}':>13} {score.right:10.3f}"
            + ("" if score.holds(part) else "  below its goal")
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
