"""Other processes are waited for, and end with all that they have started."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import psutil
import pytest

from labkit.process import kill_tree, wait_for

WAITS = [sys.executable, "-c", "import sys; sys.exit(int(sys.stdin.read()))"]
PARENT = f"import subprocess; child = subprocess.Popen({WAITS!r}); print(child.pid, flush=True); child.wait()"


def test_a_process_that_ends_gives_its_status_and_one_that_does_not_is_told() -> None:
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            wait_for(process, 0.0)
        threading.Timer(0.6, process.communicate, [b"3"]).start()  # later than its first look

        assert wait_for(process) == 3


def test_a_handler_that_raises_ends_the_wait() -> None:
    class Rung(Exception):
        """The signal has come."""

    def ring(*_: object) -> None:
        raise Rung

    before = signal.signal(signal.SIGINT, ring)
    try:
        with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as process:
            threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()  # wakes no wait by itself
            with pytest.raises(Rung):
                wait_for(process)
            process.communicate(b"0")
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.learner_path
def test_what_a_process_has_started_is_killed_with_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        kill_tree(process.pid)

        child.wait(10)  # first, where it is killed first: then its parent may end by itself
        process.wait(10)
