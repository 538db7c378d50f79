"""A function is told of the end of a process, once and to its last word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labkit.recorder.exit_hooks import End

TELLS = """
import os, signal, sys
from labkit.recorder.exit_hooks import at_end

def tell(end):
    with open("told", "a") as file:
        file.write(f"{end} begins\\n")
        DURING
        file.write(f"{end} ends\\n")

at_end(tell)
"""


def run(folder: Path, source: str, during: str = "") -> tuple[int, list[str]]:
    program = TELLS.replace("DURING", during or "pass") + source
    finished = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert finished.stderr == ""
    return finished.returncode, (folder / "told").read_text().splitlines()


@pytest.mark.parametrize(
    ("source", "status", "end"),
    [
        ("", 0, End.EXIT),
        ("sys.exit(3)", 3, End.EXIT),
        ("os._exit(4)", 4, End.AT_ONCE),
        ("os.kill(os.getpid(), signal.SIGTERM)", -15, End.TERMINATED),
        ("import atexit; atexit.unregister(tell); os._exit(5)", 5, End.AT_ONCE),
    ],
)
def test_each_way_out_is_told_once(source: str, status: int, end: End, tmp_path: Path) -> None:
    assert run(tmp_path, source) == (status, [f"{end} begins", f"{end} ends"])


@pytest.mark.parametrize("source", ["", "os._exit(4)", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_sigterm_waits_until_all_is_told(source: str, tmp_path: Path) -> None:
    status, told = run(tmp_path, source, "os.kill(os.getpid(), signal.SIGTERM)")

    assert status == -15
    assert [line.rpartition(" ")[2] for line in told] == ["begins", "ends"]


def test_a_failure_to_tell_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "sys.exit(3)", "raise LookupError") == (3, ["exit begins"])


def test_an_exit_while_it_is_told_tells_nothing_twice(tmp_path: Path) -> None:
    assert run(tmp_path, "", "file.flush(); os._exit(6)") == (6, ["exit begins"])
