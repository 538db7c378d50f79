"""`labkit lab`, run as a person runs it, without a browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.services.ports import free_port
from labkit.settings import install_command

ROOT = Path(__file__).parents[2]
LABKIT = [sys.executable, "-m", "labkit", "lab", "--no-browser"]
TOKEN = "1234567890abcdef"

pytestmark = pytest.mark.push


class Lab:
    """A running JupyterLab: its process, where it listens, and its REST interface."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def ask(self, path: str, token: str = TOKEN, data: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self.url}/api/{path}", data, {"Authorization": f"token {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def start_kernel(self) -> psutil.Process:
        self.ask("kernels", data=b"{}")
        [kernel] = [child for child in self.family() if "ipykernel_launcher" in " ".join(child.cmdline())]
        return kernel

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Lab]:
    # Two that start at one time may name the same port: Jupyter looks for a free one, and binds it a moment later.
    process = subprocess.Popen(
        [*LABKIT, "--port", str(free_port()), *arguments, "--", f"--IdentityProvider.token={TOKEN}"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(directory), "JUPYTER_RUNTIME_DIR": str(directory / "runtime")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/lab", line):
            break
    else:
        raise AssertionError("".join(said))
    # What it goes on to say is read, so that it never waits for a reader.
    wait_until_it_listens(found[1])
    reader = threading.Thread(target=process.stdout.read)
    reader.start()
    try:
        yield Lab(process, found[1])
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
        reader.join()
        process.stdout.close()


def wait_until_it_listens(url: str) -> None:
    """Wait for what Jupyter says a moment before it is true."""
    host, port = url.removeprefix("http://").split(":")
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=30).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("name", "status"), [("SIGINT", 130), pytest.param("SIGTERM", 143, marks=pytest.mark.full), ("SIGKILL", -9)]
)
def test_when_it_ends_nothing_is_left(name: str, status: int, tmp_path: Path) -> None:
    with running(tmp_path) as lab:
        kernel = lab.start_kernel()
        family = lab.family()
        lab.process.send_signal(signal.Signals[name])
        ended = lab.process.wait(30)

    assert kernel in family
    assert ended == status
    assert psutil.wait_procs(family, timeout=20)[1] == []
    if name != "SIGKILL":
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("labkit-")] == []


def addresses_of(process: psutil.Process) -> set[str]:
    """Return where a process listens; one that has ended meanwhile listens nowhere."""
    try:
        found = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return set()
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_kernels_have_the_servers_and_the_extension_and_strangers_have_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--provider", "embedded") as lab:
        specification = lab.ask("kernelspecs")["kernelspecs"]["python3"]["spec"]
        kernel = lab.start_kernel()
        command, environment = kernel.cmdline(), kernel.environ()
        family = [psutil.Process(lab.process.pid), *lab.family()]
        listening = set().union(*(addresses_of(process) for process in family))
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            lab.ask("kernels", token="wrong")
        refused.value.close()

    assert specification["display_name"].startswith("labkit (Python 3.")
    assert command[0] == sys.executable
    assert "--ext=labkit" in command
    assert json.loads(environment["LABKIT_SERVICES"])["provider"] == "embedded"
    assert environment["LABKIT_DATABASE_URL"].startswith("mysql+asyncmy://")
    assert listening == {"127.0.0.1"}


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        finished = subprocess.run([*LABKIT, "--port", str(port)], cwd=ROOT, capture_output=True, text=True)

    assert finished.returncode == 2
    assert f"JupyterLab was to listen on port {port}" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_without_jupyterlab_it_says_how_to_get_it() -> None:
    blocked = """
from importlib import metadata
def version(name):
    raise metadata.PackageNotFoundError(name)
metadata.version = version
from labkit.cli import main
main()
"""
    finished = subprocess.run(
        [sys.executable, "-c", blocked, "lab", "--no-browser"], cwd=ROOT, capture_output=True, text=True
    )

    assert finished.returncode == 2
    assert finished.stderr == (
        f"labkit: This command needs jupyterlab, which is not installed. Run: {install_command()}\n"
    )
