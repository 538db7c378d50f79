"""
Nothing is left behind, however the process ends: counted from outside, by the processes, containers and files.

Each way to end is tried once; LABKIT_TEST_STARTS=20 tries each 20 times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from labkit.services import docker_engine
from labkit.services.container import OWNER_LABEL

STARTS = int(os.environ.get("LABKIT_TEST_STARTS", "1"))
PATIENCE = 30.0
SCRIPT = """
import asyncio, sys
from labkit.services import start_services

async def main(provider, ending):
    async with start_services(provider):
        print("up", flush=True)
        if ending == "exception":
            raise RuntimeError("meant")
        if ending != "end":
            await asyncio.get_running_loop().create_future()

asyncio.run(main(*sys.argv[1:]))
"""
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}
STATUS = {
    "end": 0,
    "exception": 1,
    "SIGINT": -signal.SIGINT,
    "SIGTERM": -signal.SIGTERM,
    "SIGKILL": -signal.SIGKILL,
}


class Child:
    """A plain script that starts services, and all that it brings into being."""

    def __init__(self, provider: str, ending: str, folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.provider = provider
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, provider, ending],
            env={**os.environ, "TMPDIR": str(folder), "LABKIT_TEST_MARK": self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def wait_until_up(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n", self.process.communicate()[1].decode()

    def end(self) -> int:
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def leftovers(self) -> list[str]:
        return [*self.processes(), *self.containers(), *(path.name for path in self.folder.iterdir())]

    def processes(self) -> list[str]:
        """Every process that inherited our mark, but the script itself."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if self.is_ours(process)]

    def is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.pid != self.process.pid and process.environ().get("LABKIT_TEST_MARK") == self.mark
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            return False

    def containers(self) -> list[str]:
        if self.provider != "containers":
            return []
        client = docker_engine.connect().client
        try:
            filters = {"label": f"{OWNER_LABEL}={self.process.pid}"}
            return [found["Id"] for found in client.api.containers(all=True, filters=filters)]
        finally:
            client.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, str], Child]]:
    children = []

    def start(provider: str, ending: str) -> Child:
        children.append(Child(provider, ending, tmp_path))
        return children[-1]

    yield start
    for child in children:
        child.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(STARTS))
@pytest.mark.parametrize("ending", ["end", "exception", "SIGINT"])
def test_nothing_is_left_when_the_process_has_ended(
    provider: str, ending: str, number: int, start: Callable[[str, str], Child]
) -> None:
    child = start(provider, ending)
    child.wait_until_up()
    if ending in SIGNALS:
        assert child.leftovers()
        child.process.send_signal(SIGNALS[ending])

    status = child.end()

    assert (status, child.leftovers()) == (STATUS[ending], [])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(STARTS))
@pytest.mark.parametrize("ending", ["SIGTERM", "SIGKILL"])
def test_nothing_is_left_soon_after_the_process_was_killed(
    provider: str, ending: str, number: int, start: Callable[[str, str], Child]
) -> None:
    child = start(provider, ending)
    child.wait_until_up()
    assert child.leftovers()
    child.process.send_signal(SIGNALS[ending])

    assert child.end() == STATUS[ending]

    wait_until(lambda: child.leftovers() == [])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(STARTS))
@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_is_left_of_a_start_that_was_interrupted(
    provider: str, ending: str, number: int, start: Callable[[str, str], Child]
) -> None:
    child = start(provider, "end")
    wait_until(lambda: child.leftovers() or child.process.poll() is not None)
    child.process.send_signal(SIGNALS[ending])

    child.end()

    wait_until(lambda: child.leftovers() == [])
