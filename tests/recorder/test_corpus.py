"""Each program of the corpus, under the recorder: the findings that it marks, at the lines that it marks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.recorder.process.runner import diagnose
from labkit.services import Services, services_in_thread

from .score import CORPUS, LACKS, Program, found, read, trouble

# Each program takes a Python and a login: three of them in core, the others every night.
CORE = {
    "frozen/early_return_keeps_session",
    "frozen/module_engine_under_pytest",
    "frozen/null_pool_over_three_loops",
}

# A program runs on one driver here, the programs on one and the other in turn: all drivers on all servers are
# for `tests/recorder/score.py`. The embedded MySQL has no row locks, and the embedded Redis an answer to INFO about
# a section that does not exist.
DRIVERS = ("asyncmy", "aiosqlite")
NOT_EMBEDDED = {"row-locks"}
NOT_HERE = {"frozen/redis_lease_not_released"}


def runs() -> Iterator[object]:
    programs = [read(path) for path in sorted(CORPUS.glob("*/*/*.py"))]
    for number, program in enumerate(programs):
        name = f"{program.part}/{program.path.stem}"
        possible = [driver for driver in DRIVERS if driver in program.drivers]
        lacking = (LACKS | NOT_EMBEDDED) & set(program.headers.get("needs", "").split())
        if possible and not lacking and name not in NOT_HERE:
            driver = possible[number % len(possible)]
            marks = () if name in CORE else pytest.mark.full
            yield pytest.param(program, driver, id=f"{name}-{driver}", marks=marks)


@pytest.fixture(scope="session")
def embedded() -> Iterator[Services]:
    with services_in_thread("embedded") as running:
        yield running


@pytest.mark.parametrize(("program", "its_driver"), list(runs()))
def test_a_program_gives_the_findings_that_it_marks_and_no_others(
    program: Program, its_driver: str, embedded: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = f"sqlite+aiosqlite:///{tmp_path}/corpus.db"
    monkeypatch.setenv("DATABASE_URL", file if its_driver == "aiosqlite" else embedded.database_url)
    monkeypatch.setenv("REDIS_URL", embedded.redis_url or "")
    # A program of the corpus is nobody's test, and other tests count what is covered.
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "COVERAGE_"))]:
        monkeypatch.delenv(name)
    diagnosis = diagnose([str(program.path)], timeout=float(program.headers.get("timeout", "30")))
    report = json.loads(diagnosis.to_json())

    findings = [found(program, each) for each in report["findings"]]
    assert trouble(program, report) == ""
    assert sorted(findings, key=str) == sorted(program.expected(its_driver), key=str)
