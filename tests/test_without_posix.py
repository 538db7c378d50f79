"""What Windows lacks can be hidden from labkit, here and in every Python that is started from here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is nothing to hide")

FOLDER = Path(__file__).with_name("without_posix")

HIDDEN = {
    "import fcntl": "ModuleNotFoundError: No module named 'fcntl'",
    "from os import killpg": "ImportError: cannot import name 'killpg'",
    "import os; os.fork()": "module 'os' has no attribute 'fork' on Windows",
    "import os; os.kill(1, 0)": "os.kill(1, 0) ends the process on Windows",
    "import signal; signal.SIGKILL": "module 'signal' has no attribute 'SIGKILL' on Windows",
    "import signal; signal.signal(1, print)": "invalid signal value",
    "import faulthandler; faulthandler.register": "module 'faulthandler' has no attribute 'register' on Windows",
    "import multiprocessing; multiprocessing.get_context('fork')": "cannot find context for 'fork'",
    "import select; select.select([0], [], [])": "0 is not a socket",
    "import subprocess; subprocess.Popen(['true'], preexec_fn=print)": "not supported on Windows",
    "import asyncio; asyncio.new_event_loop().add_signal_handler(2, print)": "NotImplementedError",
}


def run(code: str, module: str = "labkit.something") -> subprocess.CompletedProcess[str]:
    """Run code as that of a module of this name, in a Python from which POSIX is hidden."""
    return subprocess.run(
        [sys.executable, "-c", f"exec({code!r}, {{'__name__': {module!r}, '__builtins__': __builtins__}})"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    )


@pytest.mark.parametrize("code", HIDDEN)
def test_labkit_does_not_find_what_windows_lacks(code: str) -> None:
    assert HIDDEN[code] in run(code).stderr.splitlines()[-1]


def test_others_find_it_and_so_does_whoever_changes_what_all_share() -> None:
    assert run("import fcntl, os, signal; os.fork, signal.SIGKILL", "somebody").returncode == 0
    code = "import os; os.shared = 1; import sys; assert sys.modules['os'].shared == 1, sys.platform == 'win32'"
    assert run(code).returncode == 0


def test_a_python_that_labkit_starts_hides_it_before_labkit_s_own_start_up_module(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import labkit.recorder.process.agent as child; print(child.sys.platform)")
    told = subprocess.run(
        [sys.executable, "-m", "labkit", "diagnose", str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    )
    assert told.stdout.startswith("win32\n"), told.stderr
