"""LABKIT_FLIGHT=1 records an application that knows nothing of labkit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import labkit.recorder

WITHOUT_POSIX = str(Path(__file__).parents[1] / "without_posix")
PTH = Path(labkit.recorder.__file__).parent / "start" / "labkit_flight.pth"
LEAK = """
import asyncio, os, sys
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
kept = []
async def leak():
    engine = create_async_engine("sqlite+aiosqlite://")
    connection = await engine.connect()
    await connection.execute(text("SELECT 1"))
    kept.append((engine, connection))
"""
LEAKS = f"{LEAK}\nasyncio.run(leak())\nprint('done')\n"
CLEAN = LEAKS.replace(
    "    kept.append((engine, connection))", "    await connection.close(); await engine.dispose()"
)
HOLDS = f"""{LEAK}
async def main():
    await asyncio.create_task(leak(), name="holder")
    print("up", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose Pythons execute the .pth, as they do where pip has installed it."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "labkit_flight.pth").write_bytes(PTH.read_bytes())
    (folder / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(folder)!r})")
    root = str(Path(labkit.__file__).parents[1])
    own = {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_")}
    return own | {"PYTHONPATH": os.pathsep.join([str(folder), root])}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "application.py"


def run(script: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script.write_text(source)
    return subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=script.parent,
        timeout=60,
    )


@pytest.mark.parametrize("value", ["1", "pool", "POOL", "statements"])
def test_findings_go_to_stderr_at_the_end(value: str, script: Path, environment: dict[str, str]) -> None:
    finished = run(script, LEAKS, LABKIT_FLIGHT=value, **environment)

    assert (finished.returncode, finished.stdout) == (0, "done\n")
    assert "(application.py): 1 finding" in finished.stderr
    assert "application.py:8 in leak" in finished.stderr


@pytest.mark.parametrize("value", ["", "0", "off", "OFF"])
def test_when_it_is_off_nothing_happens(value: str, script: Path, environment: dict[str, str]) -> None:
    finished = run(script, f"{CLEAN}\nprint('labkit' in sys.modules)", LABKIT_FLIGHT=value, **environment)

    assert (finished.stdout, finished.stderr) == (f"done\n{value == 'OFF'}\n", "")


def test_a_value_that_is_none_is_told_and_the_application_runs(script: Path, environment: dict[str, str]) -> None:
    finished = run(script, CLEAN, LABKIT_FLIGHT="yes", **environment)

    assert (finished.returncode, finished.stdout) == (0, "done\n")
    assert finished.stderr == (
        'labkit: LABKIT_FLIGHT is "yes"; choose 1, pool, statements or off. Nothing is recorded.\n'
    )


def test_an_application_without_fault_gets_one_line(script: Path, environment: dict[str, str]) -> None:
    finished = run(script, CLEAN, LABKIT_FLIGHT="1", **environment)

    assert "No findings. Watched 1 engine" in finished.stderr.splitlines()[0]


@pytest.mark.push
def test_a_process_without_an_engine_says_nothing(script: Path, environment: dict[str, str]) -> None:
    finished = run(script, "print('done')", LABKIT_FLIGHT="1", **environment)

    assert (finished.stdout, finished.stderr) == ("done\n", "")


def test_the_file_gets_a_line_of_json_for_each_process(script: Path, environment: dict[str, str]) -> None:
    file = script.with_name("flight.jsonl")
    source = f"{LEAK}\npid = os.fork()\nasyncio.run(leak())\nif not pid: os._exit(0)\nos.waitpid(pid, 0)\n"

    finished = run(script, source, LABKIT_FLIGHT="1", LABKIT_FLIGHT_FILE=str(file), **environment)

    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert "labkit" not in finished.stderr
    assert len({each["pid"] for each in told}) == 2
    assert [[finding["code"] for finding in each["findings"]] for each in told] == [["leaked-connection"]] * 2
    assert {each["version"] for each in told} == {1}


@pytest.mark.push
def test_a_file_that_can_t_be_written_is_told_and_the_findings_are_not_lost(
    script: Path, environment: dict[str, str]
) -> None:
    finished = run(script, LEAKS, LABKIT_FLIGHT="1", LABKIT_FLIGHT_FILE="/no/such/file", **environment)

    assert "LABKIT_FLIGHT_FILE: /no/such/file can't be written" in finished.stderr
    assert "leaked-connection" in finished.stderr


@pytest.mark.push
def test_other_processes_that_it_starts_record_themselves(script: Path, environment: dict[str, str]) -> None:
    script.with_name("child.py").write_text(LEAKS)

    finished = run(
        script,
        "import subprocess, sys; subprocess.run([sys.executable, 'child.py'])",
        LABKIT_FLIGHT="1",
        **environment,
    )

    assert "(child.py): 1 finding" in finished.stderr
    assert "(application.py)" not in finished.stderr


@pytest.fixture
def running(script: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Give an application that holds a connection."""
    script.write_text(HOLDS)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment | {"LABKIT_FLIGHT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        yield process


def test_a_signal_prints_the_holders_and_the_application_goes_on(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGUSR1)

    assert running.stderr
    first, second = running.stderr.readline(), running.stderr.readline()
    assert first.startswith(f"labkit: process {running.pid}, watched 1 engine")
    assert 'connection 1: task "holder"' in second
    assert "application.py:8 in leak" in second
    assert running.poll() is None
    running.communicate("")
    assert running.returncode == 0


def test_sigterm_ends_the_application_and_what_is_known_is_reported(running: subprocess.Popen[str]) -> None:
    running.terminate()

    _, error = running.communicate()
    assert running.returncode == -signal.SIGTERM
    assert 'connection 1: task "holder"' in error


ASKS = "import os, signal\n{handler}\nimport sqlalchemy\nos.kill(os.getpid(), signal.SIG{name}); print('on')\n"


@pytest.mark.push
@pytest.mark.parametrize("name", ["USR2", "usr2", "SIGUSR2"])
def test_another_signal_may_be_named(name: str, script: Path, environment: dict[str, str]) -> None:
    source = ASKS.format(handler="", name="USR2")

    finished = run(script, source, LABKIT_FLIGHT="1", LABKIT_FLIGHT_SIGNAL=name, **environment)

    assert (finished.returncode, finished.stdout) == (0, "on\n")
    assert "no connection is out" in finished.stderr


@pytest.mark.push
def test_a_signal_that_is_none_is_told_and_the_application_is_recorded(
    script: Path, environment: dict[str, str]
) -> None:
    finished = run(script, LEAKS, LABKIT_FLIGHT="1", LABKIT_FLIGHT_SIGNAL="USR9", **environment)

    assert 'LABKIT_FLIGHT_SIGNAL is "USR9", which is no signal' in finished.stderr
    assert "leaked-connection" in finished.stderr


def test_where_there_is_no_such_signal_only_who_has_named_one_is_told(
    script: Path, environment: dict[str, str]
) -> None:
    hidden = environment | {"PYTHONPATH": os.pathsep.join([WITHOUT_POSIX, environment["PYTHONPATH"]])}

    source = f"from labkit.recorder import environment\nenvironment.start()\n{CLEAN}"  # hidden before its import

    by_default = run(script, source, **hidden)
    named = run(script, source, LABKIT_FLIGHT_SIGNAL="USR2", **hidden)

    assert by_default.stderr.startswith("labkit: process")
    assert named.stderr.startswith(
        'labkit: LABKIT_FLIGHT_SIGNAL is "USR2", which is no signal here; choose BREAK or off.\nlabkit: process'
    )


@pytest.mark.push
def test_an_application_keeps_its_own_handler(script: Path, environment: dict[str, str]) -> None:
    source = ASKS.format(handler="signal.signal(signal.SIGUSR1, lambda *_: print('mine'))", name="USR1")

    finished = run(script, source, LABKIT_FLIGHT="1", **environment)

    assert (finished.stdout, finished.stderr) == ("mine\non\n", "")


@pytest.mark.push
def test_without_a_signal_it_does_what_it_always_did(script: Path, environment: dict[str, str]) -> None:
    source = ASKS.format(handler="", name="USR1")

    finished = run(script, source, LABKIT_FLIGHT="1", LABKIT_FLIGHT_SIGNAL="off", **environment)

    assert finished.returncode == -signal.SIGUSR1


def test_an_application_can_ask_for_it_itself(script: Path, environment: dict[str, str]) -> None:
    source = "from labkit.recorder import environment\nenvironment.start()\nenvironment.start()\n"

    finished = run(script, f"{source}{LEAKS}", **environment)

    assert finished.stderr.count("leaked-connection") == 1


@pytest.mark.push
def test_the_application_s_own_modules_come_first(script: Path, environment: dict[str, str]) -> None:
    script.with_name("queue.py").write_text("mine = 'mine'\n")

    finished = run(script, "import queue; print(queue.mine)", LABKIT_FLIGHT="1", **environment)

    assert (finished.stdout, finished.stderr) == ("mine\n", "")


def test_pip_puts_the_file_beside_the_package() -> None:
    project = tomllib.loads((Path(labkit.__file__).parents[1] / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert included == {"labkit/recorder/start/labkit_flight.pth": "labkit_flight.pth"}
    assert len(PTH.read_text().splitlines()) == 1
    assert PTH.read_text().startswith("import ")  # which is what Python executes
