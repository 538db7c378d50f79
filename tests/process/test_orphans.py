"""
Nothing outlives labkit: each command that starts processes, ended in each way, with programs that try to escape.

    python -m pytest -m "" -v tests/process/test_orphans.py

Each program leaves a daemon behind: it has forked twice, called `setsid`, and has no environment. Then both hold
the interpreter lock for ever, so that no handler of a signal and no thread of theirs can end them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytestmark = [
    pytest.mark.push,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere what escapes like this is not ended"),
]

ROOT = Path(__file__).parents[2]
TOKEN = "1234567890abcdef"
LABKIT = [sys.executable, "-m", "labkit"]
PATIENCE = 30.0
AGAIN = 3.0  # seconds until a signal is sent for the second time

# The line is written whole, and by the daemon: when both numbers are there, both processes are.
ESCAPE = """
import itertools, os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler would never have its turn
def hold_the_lock():
    "a" in itertools.repeat("b")
def escape(file):
    program = os.getpid()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            # A new program, without a variable that could tell whose it is.
            code = "import os, sys; os.write(int(sys.argv[1]), sys.argv[2].encode() + str(os.getpid()).encode())"
            code += "; 'a' in __import__('itertools').repeat('b')"
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.set_inheritable(number, True)
            os.execve(sys.executable, [sys.executable, "-c", code, str(number), f"{program} "], {})
        os._exit(0)
    os.wait()
    hold_the_lock()
"""
SCENE = """
import sys
from labkit.scene import private_loop
from escaping import escape
async def scene(file):
    escape(file)
if __name__ == "__main__":
    private_loop(scene, sys.argv[1], process=True)
"""
RUN = """
import sys
from pathlib import Path
from labkit.course.run import run_notebook
from labkit.notebook.kernel import kernel_command
run_notebook(Path(sys.argv[1]), kernel=kernel_command())
"""
BUSY = """
import os, pathlib, signal, sys
from labkit.course.stress import busy_processors
with busy_processors():
    pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {os.getpid()}")
    signal.pause()
"""
NOTEBOOK = "import sys; sys.path.append({folder!r}); from escaping import escape; escape({file!r})"


def programs(command: str, folder: Path, file: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command line of a user of `labkit.process`, and variables for its environment."""
    script = folder / "program.py"
    escape = NOTEBOOK.format(folder=str(folder), file=str(file))
    script.write_text(escape)
    match command:
        case "services exec":
            return [*LABKIT, "services", "exec", "--provider", "local", "--", sys.executable, str(script)], {}
        case "a scene":
            (folder / "scene.py").write_text(SCENE)
            return [sys.executable, str(folder / "scene.py"), str(file)], {}
        case "diagnose":
            return [*LABKIT, "diagnose", str(script)], {}
        case "check":
            (folder / "ch01_the_loop.py").write_text(escape)
            return [*LABKIT, "check", "ch01", "--dir", str(folder)], {}
        case "run":
            cell = {"cell_type": "code", "source": escape, "metadata": {}, "outputs": [], "execution_count": None}
            notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
            (folder / "escape.ipynb").write_text(json.dumps(notebook))
            (folder / "run.py").write_text(RUN)
            return [sys.executable, str(folder / "run.py"), str(folder / "escape.ipynb")], {}
        case "lab":
            startup = folder / "ipython" / "profile_default" / "startup"
            startup.mkdir(parents=True)
            (startup / "escape.py").write_text(escape)
            options = ["--no-browser", "--", f"--IdentityProvider.token={TOKEN}"]
            runtime = str(folder / "runtime")
            return [*LABKIT, "lab", *options], {
                "IPYTHONDIR": str(startup.parents[1]),
                "JUPYTER_RUNTIME_DIR": runtime,
            }
        case "busy processors":
            script.write_text(BUSY)
            return [sys.executable, str(script), str(file)], {}
    raise LookupError(command)


COMMANDS = ["services exec", "a scene", "diagnose", "check", "run", "lab", "busy processors"]
ENDINGS = ["Ctrl-C", "SIGTERM", "SIGHUP", "SIGKILL", "closed terminal"]


class Command:
    """A command that runs in its own terminal, and all that it has started."""

    def __init__(self, name: str, folder: Path) -> None:
        self._needs_kernel, self._numbers, self._temporary = name == "lab", folder / "numbers", folder / "tmp"
        self._temporary.mkdir()
        (folder / "escaping.py").write_text(ESCAPE)
        line, variables = programs(name, folder, self._numbers)
        variables |= {"PYTHONPATH": str(folder), "TMPDIR": str(self._temporary), "LABKIT_HOME": str(folder)}
        self._terminal, theirs = os.openpty()
        os.set_blocking(self._terminal, False)
        self._said = b""
        self._process = subprocess.Popen(
            line,
            env=os.environ | variables,
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(theirs)

    def wait_for_programs(self) -> list[psutil.Process]:
        """Wait until the programs run that escape; return all processes that there are now."""
        self.wait_until(lambda: self._start_kernel() or len(self._escaped()) == 2)
        here = psutil.Process(self._process.pid).children(recursive=True)
        return [*here, *(psutil.Process(number) for number in self._escaped())]

    def end(self, ending: str) -> None:
        """End the command; wait until it has ended."""
        if ending == "closed terminal":
            os.close(self._terminal)
            self._terminal = -1
        else:
            self._send(ending)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(AGAIN)
            # `diagnose` passes the first one on to the program, and stops it at the second.
            self._send(ending)
        self.wait_until(lambda: self._process.poll() is not None)

    def files(self) -> list[str]:
        """Return what is left among the temporary files."""
        return [path.name for path in self._temporary.iterdir()]

    def wait_until(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, self._said.decode(errors="replace")
            self._read()
            time.sleep(0.02)

    def close(self) -> None:
        """Leave nothing behind, should the test fail."""
        for process in [psutil.Process(self._process.pid)] if self._process.poll() is None else []:
            for each in [*process.children(recursive=True), process]:
                each.kill()
        for number in self._escaped():
            with suppress(psutil.Error):
                psutil.Process(number).kill()
        self._process.wait()
        if self._terminal >= 0:
            os.close(self._terminal)

    def _escaped(self) -> list[int]:
        return [int(number) for number in self._numbers.read_text().split()] if self._numbers.exists() else []

    def _send(self, ending: str) -> None:
        if ending == "Ctrl-C":
            os.write(self._terminal, b"\x03")
        else:
            self._process.send_signal(signal.Signals[ending])

    def _read(self) -> None:
        with suppress(OSError):
            self._said += os.read(self._terminal, 65536)

    def _start_kernel(self) -> None:
        """Start a kernel, if this is JupyterLab and listens already."""
        # It says which port it has taken: one that was free before may be another server's by now.
        if self._needs_kernel and (port := re.search(rb"http://127\.0\.0\.1:(\d+)/", self._said)):
            url = f"http://127.0.0.1:{int(port[1])}/api/kernels"
            request = urllib.request.Request(url, b"{}", {"Authorization": f"token {TOKEN}"})
            with suppress(OSError), urllib.request.urlopen(request, timeout=30):
                self._needs_kernel = False


def take_terminal() -> None:
    """Make the terminal on stdin the one that sends Ctrl-C, and SIGHUP when it is closed."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Command]:
    running = Command(request.param, tmp_path)
    yield running
    running.close()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("command", COMMANDS, indirect=True)
def test_nothing_is_left(command: Command, ending: str) -> None:
    started = command.wait_for_programs()
    command.end(ending)

    try:
        command.wait_until(lambda: not left(started) and not command.files())
    except AssertionError:
        assert (left(started), command.files()) == ([], [])


def left(started: list[psutil.Process]) -> list[str]:
    """Return those processes that still run, as the system shows them."""
    found = []
    for process in started:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} below {process.ppid()}: {process.cmdline()}")
    return found
