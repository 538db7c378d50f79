"""A run of the tests that is killed leaves nothing, a test that hangs says where, and two runs don't meet."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from conftest import Outside

CONFTEST = Path(__file__).parents[1] / "conftest.py"
INI = "[pytest]\nasyncio_mode = auto\ntimeout = {limit}\ntimeout_func_only = true\n"
HANGS = """
import asyncio, os

async def test_it_hangs(any_services):
    open(f"{os.environ['UP']}{os.getpid()}", "w").close()
    await wait_for_ever()

async def wait_for_ever():
    await asyncio.Event().wait()
"""


def start(outside: Outside, folder: Path, provider: str, *, limit: int, processes: int) -> None:
    """Start a run of one test that hangs."""
    suite = folder / "suite"
    suite.mkdir()
    shutil.copy(CONFTEST, suite)
    (suite / "pytest.ini").write_text(INI.format(limit=limit))
    (suite / "test_hangs.py").write_text(HANGS)
    command = [sys.executable, "-m", "pytest", "-n", str(processes), "-p", "no:cacheprovider", "-m", "", str(suite)]
    outside.run(command, LABKIT_TEST_PROVIDERS=provider, UP=str(folder / "up-"))


def hanging(outside: Outside, folder: Path) -> int:
    """Wait until a process has come to the test that hangs; return its number."""
    outside.wait_until(lambda: list(folder.glob("up-*")) or outside.process.poll() is not None)
    [up] = folder.glob("up-*")
    return int(up.name.removeprefix("up-"))


@pytest.mark.parametrize("processes", [pytest.param(0, marks=pytest.mark.push), 1], ids=["alone", "in a worker"])
def test_a_test_over_its_limit_is_stopped_with_the_stack_of_every_task(
    processes: int, outside: Outside, tmp_path: Path
) -> None:
    start(outside, tmp_path, "embedded", limit=1, processes=processes)
    printed, _ = outside.process.communicate(timeout=60)

    assert outside.process.returncode == 1
    assert "Where each task and thread was" in printed
    assert "test_hangs.py:9 in wait_for_ever" in printed


@pytest.mark.push
@pytest.mark.providers("local")
@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("runner", "SIGINT"),
        pytest.param("runner", "SIGTERM", marks=pytest.mark.full),
        pytest.param("runner", "SIGKILL", marks=pytest.mark.full),
        ("worker", "SIGKILL"),
    ],
)
def test_a_run_that_is_killed_leaves_no_server_process_or_file(
    provider: str, victim: str, number: str, outside: Outside, tmp_path: Path
) -> None:
    start(outside, tmp_path, provider, limit=120, processes=1)
    worker = hanging(outside, tmp_path)
    killed = psutil.Process(worker if victim == "worker" else outside.owner)
    killed.send_signal(getattr(signal, number))
    outside.process.communicate(timeout=60)

    # pytest itself keeps the folders that it gave to the tests.
    outside.wait_until(lambda: [left for left in outside.leftovers() if not left.startswith("pytest-of-")] == [])


def test_two_runs_at_once_have_servers_each(outside: Outside, tmp_path: Path) -> None:
    script = (
        "from labkit.services import services_in_thread\n"
        "with services_in_thread('embedded') as one: print(one.database_url, flush=True); input()\n"
    )
    first = outside.run([sys.executable, "-c", script])
    url = first.stdout.readline()
    try:
        second = outside.run([sys.executable, "-c", script])
        assert second.stdout.readline() != url
    finally:
        first.kill()
        first.communicate()
