"""The seeded faults fit the code, and what is said of them is what came of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.course.examiner import load_module

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).with_name("seeded_faults.py")
seeded = load_module(SCRIPT, "seeded_faults")
FAULTS = seeded.load_faults()
FAULT = seeded.Fault("one_more", "lab.py", "return 1", "return 2", ("tests",))


def test_every_fault_fits_its_file() -> None:
    seeded.check_faults(FAULTS)


def test_every_package_has_faults() -> None:
    packages = {path.parent.name for path in (ROOT / "labkit").glob("*/__init__.py")}

    assert packages - {Path(fault.file).parts[1] for fault in FAULTS} == set()
    assert len(FAULTS) >= 40


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return 3\n", "its text is 0 times in lab.py"),
        ("return 1\nreturn 1\n", "its text is 2 times in lab.py"),
        ("(return 1\n", "makes lab.py no Python"),
    ],
)
def test_a_fault_that_does_not_fit_any_more_is_refused(text: str, words: str) -> None:
    with pytest.raises(seeded.Unusable, match=f"one_more .*{words}"):
        seeded.with_fault(FAULT, text)


def test_a_fault_without_its_file_or_its_tests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text("def f():\n    return 1\n")

    with pytest.raises(seeded.Unusable, match="there is no tests"):
        seeded.check_faults([FAULT], tmp_path)


@pytest.mark.parametrize(
    ("output", "failed"),
    [
        (
            "= short test summary info =\nFAILED tests/a.py::test_b[x y] - assert 1 == 2 - 1\n",
            "tests/a.py::test_b[x y]",
        ),
        ("= short test summary info =\nERROR tests/a.py - ImportError: no\n1 error\n", "tests/a.py"),
        ("= short test summary info =\nSKIPPED [1] a.py:3: no\nFAILED tests/a.py::test_b\n", "tests/a.py::test_b"),
        ("FAILED in a log\nERROR    asyncio:events.py:1 no\n1 passed\n", ""),
        ("", ""),
    ],
)
def test_the_first_test_that_failed_is_read_from_the_summary(output: str, failed: str) -> None:
    assert seeded.first_failed(output) == failed


def tried(caught: int, of: int) -> list[Any]:
    return [
        seeded.Tried(f"fault_{n}", "lab.py", "a.py::test_b" if n < caught else "", "core", 1.0) for n in range(of)
    ]


@pytest.mark.parametrize(("caught", "of", "status"), [(40, 40, 0), (38, 40, 0), (37, 40, 1), (0, 1, 1)])
def test_the_status_is_0_from_95_percent_on(caught: int, of: int, status: int) -> None:
    assert seeded.report(tried(caught, of), as_json=False) == status


def test_what_was_not_caught_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    seeded.report(tried(1, 2), as_json=False)
    last = capsys.readouterr().out.splitlines()[-2:]

    assert last == ["1 of 2 caught (50%)", "not caught: fault_1 (lab.py)"]


def test_an_unknown_name_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = FAULTS[0].name
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["seeded_faults.py", "--only", f"{name}s"])

    assert seeded.main() == 2
    assert f"Did you mean {name}" in capsys.readouterr().err


def pytests_of(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [each for each in psutil.Process(pid).children() if "pytest" in each.cmdline()]
    return []


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Give a folder for temporary files whose path is short: the fork server has a socket in there."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        yield Path(folder)


@pytest.mark.push
def test_ctrl_c_ends_pytest_and_removes_the_copy(temporary: Path) -> None:
    """Only a real run leaves a copy, and a pytest in it, that have to go."""
    command = [sys.executable, str(SCRIPT), "--only", "a_line_is_one_too_high"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    run = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    while not (started := pytests_of(run.pid)) and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)

    assert (run.returncode, "Traceback" in said) == (130, False), said
    assert started
    assert not any(each.is_running() for each in started)
    assert list(temporary.iterdir()) == []
