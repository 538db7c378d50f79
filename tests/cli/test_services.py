"""`labkit services`: what it prints, what it passes on, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Labkit

LABKIT = [sys.executable, "-m", "labkit", "services"]
PRINT_URLS = (
    "import os; print(*(os.environ[n] for n in ('LABKIT_PROVIDER', 'DATABASE_URL', 'LABKIT_DATABASE_URL')))"
)
# `signal.pause()` would sleep through a signal that came just before it; a read of the wake-up pipe does not.
WAIT = (
    "import os, signal, sys; {handler}; r, w = os.pipe(); os.set_blocking(w, False); signal.set_wakeup_fd(w); "
    "print('up', flush=True); os.read(r, 1)"
)


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_")}


def begin(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LABKIT, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean(),
        # A shell's background job is deaf to SIGINT, and so are its children: not these.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.real_servers("push", "full")
def test_exec_gives_the_command_the_urls(labkit: Labkit, provider: str) -> None:
    finished = labkit("services", "exec", "-p", provider, "--", sys.executable, "-c", PRINT_URLS)

    assert finished.returncode == 0, finished.stderr
    name, database, own = finished.stdout.split()
    assert (name, database) == ("url", own)
    assert f"labkit: {provider}: " in finished.stderr


@pytest.mark.push
@pytest.mark.real_servers("push", "full")
def test_a_labkit_inside_uses_the_servers_outside(labkit: Labkit, provider: str) -> None:
    inside = [sys.executable, "-m", "labkit", "services", "exec", "--", sys.executable, "-c", PRINT_URLS]
    outside = f"{PRINT_URLS}; import subprocess, sys; sys.stdout.flush(); subprocess.run({inside!r})"

    finished = labkit("services", "exec", "-p", provider, "--", sys.executable, "-c", outside)

    first, second = finished.stdout.splitlines()
    assert first == second


@pytest.mark.parametrize(
    ("program", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_exec_passes_the_exit_status_on(labkit: Labkit, program: str, status: int) -> None:
    assert labkit("services", "exec", "--", sys.executable, "-c", program).returncode == status


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="Windows has no such signal")
def test_exec_passes_it_on_where_the_ends_of_children_are_ignored(labkit: Labkit) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        finished = labkit("services", "exec", "-p", "sqlite", "--", sys.executable, "-c", "raise SystemExit(7)")
    finally:
        signal.signal(signal.SIGCHLD, before)

    assert finished.returncode == 7


def test_exec_of_a_command_that_is_not_there_is_127_and_starts_nothing(labkit: Labkit) -> None:
    finished = labkit("services", "exec", "-p", "embedded", "--", "no-such-command")

    assert (finished.returncode, finished.stderr) == (127, "labkit: no-such-command: command not found\n")


def test_exec_without_a_command_is_misuse(labkit: Labkit) -> None:
    assert labkit("services", "exec", "-p", "embedded").returncode == 2


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_exec_passes_a_signal_to_the_command(name: str) -> None:
    number = getattr(signal, name)
    handler = f"signal.signal({int(number)}, lambda *_: sys.exit(40))"
    process = begin("exec", "--", sys.executable, "-c", WAIT.format(handler=handler))
    assert process.stdout.readline() == "up\n"

    process.send_signal(number)
    process.communicate(timeout=30)

    assert process.returncode == 40


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
def test_exec_tells_that_a_signal_ended_the_command() -> None:
    process = begin("exec", "--", sys.executable, "-c", WAIT.format(handler="pass"))
    assert process.stdout.readline() == "up\n"

    process.terminate()
    process.communicate(timeout=30)

    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_start_prints_exports_and_stays_until_a_signal(name: str) -> None:
    process = begin("start")
    lines = [process.stdout.readline() for _ in range(5)]

    process.send_signal(getattr(signal, name))
    _, error = process.communicate(timeout=30)

    assert process.returncode == 0, error
    assert all(line.startswith("export ") for line in lines)
    assert "nothing is left" in error


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
def test_what_start_prints_can_be_evaluated_by_a_shell(tmp_path: Path) -> None:
    process = begin("start", "-p", "sqlite")
    exports = "".join(process.stdout.readline() for _ in range(5))
    process.terminate()
    process.communicate(timeout=30)

    told = subprocess.check_output(["sh", "-c", exports + "echo $DATABASE_URL"], text=True)

    assert told.startswith("sqlite+aiosqlite:///")


@pytest.mark.usefixtures("no_coverage")
def test_start_prints_json() -> None:
    process = begin("start", "--json")
    told = json.loads(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=30)

    assert told["provider"] == "embedded"
    assert told["environment"]["DATABASE_URL"].startswith("mysql+asyncmy://")


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
def test_a_signal_during_the_start_ends_it() -> None:
    process = begin("start", "-p", "local")
    assert process.stderr.readline() == "labkit: starting …\n"

    process.terminate()
    process.communicate(timeout=30)

    # Before the event loop listens, the command's own handler ends the process with the same status.
    assert process.returncode == 128 + signal.SIGTERM


def test_a_start_that_fails_is_one_line_and_exit_2(labkit: Labkit) -> None:
    finished = labkit("services", "start", "-p", "url")

    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1].startswith("labkit: The provider 'url' needs")


def test_status_tells_of_every_provider(labkit: Labkit) -> None:
    told = json.loads(labkit("services", "status", "--json").stdout)

    assert [row["provider"] for row in told] == ["embedded", "local", "containers", "url", "sqlite"]
    assert all(row["found"] or (row["reason"] and row["remedy"]) for row in told)


def test_status_prints_a_table(labkit: Labkit) -> None:
    finished = labkit("services", "status", COLUMNS="200")

    assert finished.returncode == 0
    assert "LABKIT_DATABASE_URL and LABKIT_REDIS_URL not set." in finished.stdout
