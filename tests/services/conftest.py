"""Count from outside what a process and its descendants have left: processes, containers, files."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from labkit.errors import CannotStart
from labkit.services import docker_engine
from labkit.services.container import OWNER_LABEL

PATIENCE = 30.0


class Outside:
    """Run one program with a mark in its environment, and find everything that carries the mark."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.process: subprocess.Popen[str] | None = None

    def run(self, command: Sequence[str], **variables: str) -> subprocess.Popen[str]:
        # Settings of the shell that runs the tests are not part of the test.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_")}
        marked = {"TMPDIR": str(self.folder), "LABKIT_MARK": self.mark}
        with listening_to_interrupts():
            self.process = subprocess.Popen(
                command, env=clean | marked | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        return self.process

    def leftovers(self) -> list[str]:
        return [*self.processes(), *self.containers(), *(path.name for path in self.folder.iterdir())]

    def processes(self) -> list[str]:
        """Every process that inherited the mark, but the program itself."""
        return [found for process in psutil.process_iter() if (found := self._ours(process))]

    def _ours(self, process: psutil.Process) -> str:
        try:
            marked = process.environ().get("LABKIT_MARK") == self.mark and process.pid != self.owner
            return f"{process.pid} {process.cmdline()}" if marked else ""
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended while we looked
            return ""

    def containers(self) -> list[str]:
        """Every container that the program made; none where there is no Docker."""
        try:
            client = docker_engine.connect().client
        except CannotStart:
            return []
        try:
            filters = {"label": f"{OWNER_LABEL}={self.owner}"}
            return [found["Id"] for found in client.api.containers(all=True, filters=filters)]
        finally:
            client.close()

    @property
    def owner(self) -> int:
        return self.process.pid if self.process else 0

    def wait_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited too long; there are {self.leftovers()}"
            time.sleep(0.01)

    def close(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.communicate()


@contextmanager
def listening_to_interrupts() -> Iterator[None]:
    """A shell's background job is deaf to SIGINT, and so are its children: not this one."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    folder = tmp_path / "tmp"
    folder.mkdir()
    outside = Outside(folder)
    yield outside
    outside.close()
