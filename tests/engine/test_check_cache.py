"""The check of the cache's promise finds what breaks it, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .history import Read, Verdict, Write, describe, judge, shrink

SCRIPT = Path(__file__).with_name("check_cache.py")
A, B = "a@example.org", "b@example.org"

# Version 1 at `A` by engine 0, acknowledged at 1; version 2 at `B` by engine 0, from 2 to 4.
FIRST = Write(1, 1, A, 0, 0.0, acknowledged=1.0, told=1.0)
SECOND = Write(1, 2, B, 0, 2.0, acknowledged=4.0, told=4.0)
CUT_OFF = Write(1, 2, B, 0, 2.0, acknowledged=4.0, told=8.0, cut_off=True)
LOST = Write(1, 2, B, 0, 2.0)


def read(version: int | None, started: float, *, by: str = "", engine: int = 1, reader: str = "r") -> Read:
    return Read(1, engine, reader, by, started, started + 0.5, version)


@pytest.mark.parametrize(
    ("second", "reads", "verdict"),
    [
        (SECOND, [read(1, 1.0)], Verdict.GOOD),
        (SECOND, [read(1, 3.9)], Verdict.GOOD),  # not acknowledged yet
        (SECOND, [read(2, 2.0)], Verdict.GOOD),  # committed, perhaps
        (SECOND, [read(2, 1.0)], Verdict.STALE),  # it was not there yet
        (SECOND, [read(1, 4.0)], Verdict.STALE),
        (SECOND, [read(2, 4.0)], Verdict.GOOD),
        (SECOND, [read(None, 3.0, by=A)], Verdict.GOOD),
        (SECOND, [read(None, 1.0, by=A)], Verdict.STALE),
        (SECOND, [read(None, 4.0, by=B)], Verdict.STALE),
        (SECOND, [read(2, 4.0, by=A)], Verdict.STALE),  # found under the address that it had
        (SECOND, [read(2, 2.5), read(1, 3.5)], Verdict.BACKWARDS),
        (SECOND, [read(2, 2.5), read(1, 3.5, reader="another")], Verdict.GOOD),
        (CUT_OFF, [read(1, 5.0)], Verdict.OLD_WHILE_CUT_OFF),
        (CUT_OFF, [read(1, 5.0, engine=0)], Verdict.STALE),  # the writer's own engine knows
        (CUT_OFF, [read(1, 8.0)], Verdict.STALE),
        (CUT_OFF, [read(2, 5.0), read(1, 6.0)], Verdict.OLD_WHILE_CUT_OFF),
        (LOST, [read(1, 9.0)], Verdict.GOOD),
        (LOST, [read(2, 9.0)], Verdict.GOOD),
    ],
)
def test_a_read_is_judged(second: Write, reads: list[Read], verdict: Verdict) -> None:
    assert judge([FIRST, second], reads)[-1] is verdict


def test_a_history_is_shrunk_to_what_breaks_the_promise() -> None:
    third = Write(1, 3, B, 2, 5.0, acknowledged=6.0, told=6.0)
    writes, reads = shrink([FIRST, SECOND, third], [read(1, 1.5), read(2, 5.5), read(1, 7.0)])

    assert [each.version for each in writes] in ([1, 2], [1, 3])
    assert [each.started for each in reads] == [7.0]
    assert "stale, row 1" in describe(writes, reads)


NEVER_TELLS = """
from contextlib import asynccontextmanager
from labkit.engine import Engine

class NeverTells(Engine):
    @asynccontextmanager
    async def changing(self, keys):
        yield
"""


def check(*arguments: str, path: Path | None = None) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, str(SCRIPT), "--provider", "embedded", "--json", *arguments]
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)


@pytest.mark.push
def test_the_correct_engine_keeps_the_promise() -> None:
    """Only real engines, a real Redis and a network that fails can show it; some seconds for each fault."""
    status, found = check("--reads", "3000", "--fault", "answer lost", "--fault", "late request")

    assert (status, found["broken"]) == (0, [])
    assert all(each["faults"] for each in found["outcomes"])


@pytest.mark.push
def test_an_engine_that_never_tells_redis_is_found(tmp_path: Path) -> None:
    (tmp_path / "careless.py").write_text(NEVER_TELLS)

    status, found = check("--reads", "1500", "--fault", "none", "--engine", "careless:NeverTells", path=tmp_path)

    assert status == 1
    assert found["outcomes"][0]["stale"] > 0
    assert "none: stale, row" in found["broken"][0]


@pytest.mark.push
def test_what_is_no_engine_is_wrong_usage() -> None:
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), "--engine", "os:getcwd"], capture_output=True, text=True
    )

    assert finished.returncode == 2
    assert "os:getcwd is no Engine" in finished.stderr
