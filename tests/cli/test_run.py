"""`labkit run`: what it prints, what it leaves, and its exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from .conftest import Labkit

ROOT = Path(__file__).parents[2]
LABKIT = [sys.executable, "-m", "labkit"]


@pytest.fixture
def clone(tmp_path: Path, labkit: Labkit, runs_from: Callable[[Path], None]) -> Path:
    """Give a folder that labkit runs from, with a course of three short notebooks."""
    (tmp_path / "notebooks").mkdir()
    index = ""
    for name, cell in {
        "00_good": "1 + 1",
        "01_leaky": "async def f(): pass\nf()",
        "02_slow": "while True: pass",
    }.items():
        lesson = tmp_path / "lessons" / f"ch{name}" / "lesson.md"
        lesson.parent.mkdir(parents=True)
        lesson.write_text(f"```{{code-cell}}\n{cell}\n```\n")
        index += f'[[lesson]]\nfolder = "ch{name}"\ntitle = "It"\nminutes = 1\nobjectives = ["see"]\n'
    (tmp_path / "lessons" / "index.toml").write_text(index)
    runs_from(tmp_path)
    labkit("build")
    return tmp_path


@pytest.mark.push
def test_a_notebook_that_passes_is_success_and_is_written_where_asked(
    labkit: Labkit, clone: Path, tmp_path: Path
) -> None:
    finished = labkit("run", "00_good.ipynb", "--output", str(tmp_path / "out"))

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.startswith("00_good  passed  1 of 1 cells, ")
    assert "1 of 1 notebooks passed on embedded" in finished.stdout
    assert "'2'" in (tmp_path / "out" / "00_good.ipynb").read_text().replace('"2"', "'2'")


def test_all_are_run_and_one_that_fails_in_silence_is_failure(labkit: Labkit, clone: Path) -> None:
    finished = labkit("run", "00", "01", "--json")
    told = {each["notebook"]: each for each in json.loads(finished.stdout)}

    assert finished.returncode == 1
    assert {name: each["verdict"] for name, each in told.items()} == {"00_good": "passed", "01_leaky": "failed"}
    assert "never awaited" in told["01_leaky"]["faults"][0]["text"]


@pytest.mark.push
def test_a_cell_that_never_ends_is_named(labkit: Labkit, clone: Path) -> None:
    finished = labkit("run", "slow", "--timeout", "1")

    assert finished.returncode == 1
    assert "timed out" in finished.stdout
    assert "cell 1 (while True: pass): did not end within 1 s" in " ".join(finished.stdout.split())


def test_an_unknown_name_is_answered_with_the_nearest(labkit: Labkit) -> None:
    finished = labkit("run", "00_the_storey")

    assert finished.returncode == 2
    assert finished.stderr == "labkit: There is no notebook '00_the_storey'. Did you mean 00_the_story?\n"


def test_an_installed_labkit_without_notebooks_says_what_to_do(labkit: Labkit, clone: Path) -> None:
    shutil.rmtree(clone / "notebooks")
    finished = labkit("run", cwd=clone)

    assert finished.returncode == 2
    assert finished.stderr.startswith("labkit: The notebooks are missing")
    assert finished.stderr.count("\n") == 1


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_nothing(number: signal.Signals, status: int, clone: Path) -> None:
    # Another Python finds the course beside the labkit that it imports.
    shutil.copytree(ROOT / "labkit", clone / "labkit", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "TMPDIR": str(clone / "tmp")}
    (clone / "tmp").mkdir()
    process = subprocess.Popen(
        [*LABKIT, "run", "slow"], cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    kernel = wait_for_kernel(psutil.Process(process.pid))
    began = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    process.communicate(timeout=30)

    assert kernel in began
    assert process.returncode == status
    assert psutil.wait_procs(began, timeout=10)[1] == []
    assert list((clone / "tmp").iterdir()) == []


def wait_for_kernel(process: psutil.Process) -> psutil.Process:
    """Wait until a kernel is at work: it has used some processor time, which the endless cell does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it may end while it is looked at
                if "ipykernel_launcher" in child.cmdline() and sum(child.cpu_times()[:2]) > 2:
                    return child
        time.sleep(0.05)
    raise AssertionError("no kernel has started")
