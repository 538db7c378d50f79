"""Run `labkit` in this process, through the function that its script calls."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile

import pytest

from labkit.cli import main
from labkit.course import lessons

Finished = CompletedProcess[str]
Labkit = Callable[..., Finished]

WIDE = {"COLUMNS": "300"}  # nothing is broken into lines that a test looks for


@pytest.fixture
def labkit(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Labkit:
    """
    Return a function that runs one command and returns its exit status and all that it printed.

    It calls `main`, and not Typer's runner, which would leave out what `main` makes of an error. What child
    processes print is captured too. A new Python for each command would take a second.
    """

    def run(*arguments: str, stdin: str = "", cwd: Path | None = None, **environment: str) -> Finished:
        terminated = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch, TemporaryFile("w+", encoding="utf-8") as given:
            given.write(stdin)
            given.seek(0)
            patch.setattr(sys, "stdin", given)
            before = os.dup(0)
            os.dup2(given.fileno(), 0)  # what a child process reads
            patch.setattr(sys, "argv", ["labkit", *arguments])
            for name, value in {**WIDE, **environment}.items():
                patch.setenv(name, value)
            patch.chdir(cwd or os.getcwd())
            capfd.readouterr()
            try:
                main()
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            finally:
                signal.signal(signal.SIGTERM, terminated)
                os.dup2(before, 0)
                os.close(before)
        printed = capfd.readouterr()
        return Finished(arguments, status, printed.out, printed.err)

    return run


@pytest.fixture
def runs_from(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Return a function after which labkit finds the course of this folder, as if it were installed from there."""

    def use(folder: Path) -> None:
        monkeypatch.setattr(lessons, "__file__", str(folder / "labkit" / "course" / "lessons.py"))

    return use


@pytest.fixture
def no_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Begin commands without coverage, in tests that send signals. Its tracer for greenlets looks up in Python which
    greenlet runs, and drops what is raised there: what the handler of a signal raises, too (seen 1 of 20 times).
    """
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
