"""`labkit diagnose`: what it prints and writes, what it passes on, and its exit status."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from .conftest import Labkit

LABKIT = [sys.executable, "-m", "labkit", "diagnose"]
LEAK = """
import asyncio, sys
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
kept = []
async def leak():
    engine = create_async_engine("sqlite+aiosqlite://")
    connection = await engine.connect()
    await connection.execute(text("SELECT 1"))
    kept.append((engine, connection))
asyncio.run(leak())
print("done", sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder with a script that leaks and one that does nothing; no temporary file stays."""
    (tmp_path / "leak.py").write_text(LEAK)
    (tmp_path / "idle.py").write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(temporary.iterdir()) == []


@pytest.fixture
def run(labkit: Labkit, folder: Path) -> Labkit:
    """Run `labkit diagnose`; the program is its own process all the same."""
    return functools.partial(labkit, "diagnose", cwd=folder)


@pytest.mark.learner_path
def test_findings_go_to_stderr_and_the_status_is_1(run: Labkit) -> None:
    finished = run("leak.py")

    assert finished.returncode == 1
    assert finished.stdout == "done []\n"
    assert "1  leaked-connection" in finished.stderr
    assert "leak.py:8 in leak" in finished.stderr


def test_without_findings_the_status_is_0(run: Labkit) -> None:
    finished = run("idle.py")

    assert (finished.returncode, finished.stdout) == (0, "")
    assert "nothing was watched" in finished.stderr


@pytest.mark.push
def test_a_program_that_lacks_a_package_is_told_on_which_python_it_ran(run: Labkit, folder: Path) -> None:
    (folder / "shop.py").write_text("import no_such_framework")

    finished = run("shop.py")

    assert finished.returncode == 1
    assert f"It ran on {sys.executable}" in " ".join(finished.stderr.split())


def test_the_program_s_own_status_comes_first(run: Labkit, folder: Path) -> None:
    (folder / "leak.py").write_text(f"{LEAK}\nsys.exit(3)")

    finished = run("leak.py")

    assert finished.returncode == 3
    assert "The program ended with exit status 3." in finished.stderr
    assert "leaked-connection" in finished.stderr


def test_a_traceback_is_python_s_own(run: Labkit, folder: Path) -> None:
    (folder / "fails.py").write_text("def f():\n    return {}['x']\n\nf()\n")
    plain = subprocess.run([sys.executable, "fails.py"], capture_output=True, text=True)

    finished = run("fails.py")

    assert finished.returncode == 1
    assert finished.stderr.startswith(plain.stderr)
    assert "labkit" not in plain.stderr.replace(str(folder), "")


@pytest.mark.parametrize(
    "arguments",
    [["leak.py", "--json", "-m", "--help", "x y"], ["--", "leak.py", "--json", "-m", "--help", "x y"]],
    ids=["after the script", "after two dashes"],
)
def test_what_follows_the_script_is_the_script_s(run: Labkit, arguments: list[str]) -> None:
    assert run(*arguments).stdout == "done ['--json', '-m', '--help', 'x y']\n"


@pytest.mark.push
def test_what_follows_the_module_is_the_module_s(run: Labkit) -> None:
    assert run("-m", "leak", "--json", "-m").stdout == "done ['--json', '-m']\n"


def test_json_stands_behind_what_the_program_printed(run: Labkit) -> None:
    finished = run("--json", "leak.py")

    first, rest = finished.stdout.split("\n", 1)
    told = json.loads(rest)
    assert first == "done []"
    assert "leaked-connection" not in finished.stderr  # where SQLAlchemy 2.0 may complain of the leak
    assert [finding["code"] for finding in told["findings"]] == ["leaked-connection"]
    assert (told["status"], finished.returncode) == (1, 1)


def test_the_report_can_go_to_a_file(run: Labkit, folder: Path) -> None:
    finished = run("-o", "report.txt", "leak.py")

    assert finished.stdout == "done []\n"
    assert "leaked-connection" not in finished.stderr
    assert "1  leaked-connection" in (folder / "report.txt").read_text()


@pytest.mark.parametrize("arguments", [["--output", "report.json"], ["--json", "-o", "report"]], ids=" ".join)
def test_json_can_go_to_a_file(run: Labkit, arguments: list[str], folder: Path) -> None:
    run(*arguments, "leak.py")

    assert json.loads((folder / arguments[-1]).read_text())["version"] == 1


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_timeline_is_drawn(run: Labkit, suffix: str, folder: Path) -> None:
    run("--timeline", f"line.{suffix}", "leak.py")

    text = (folder / f"line.{suffix}").read_text()
    assert "<svg" in text
    if suffix == "svg":
        ElementTree.fromstring(text)


def test_a_trace_and_the_record_are_written(run: Labkit, folder: Path) -> None:
    from labkit.recorder import find, json_format

    run("--trace", "trace.json", "--record", "record.json", "leak.py")

    assert json.loads((folder / "trace.json").read_text())["traceEvents"]
    record = json_format.load((folder / "record.json").read_text())
    assert [finding.code for finding in find(record)] == ["leaked-connection"]


def test_of_several_processes_each_has_its_part(run: Labkit, folder: Path) -> None:
    (folder / "leak.py").write_text(LEAK.replace("asyncio.run", "import os\npid = os.fork()\nasyncio.run"))

    finished = run("--trace", "t.json", "--record", "r.json", "--timeline", "t.html", "leak.py")

    assert finished.stderr.count("1  leaked-connection") == 2
    assert finished.stderr.count("(leak.py)") == 2
    assert len(list(folder.glob("r*.json"))) == 2
    assert len({event["pid"] for event in json.loads((folder / "t.json").read_text())["traceEvents"]}) == 2
    assert (folder / "t.html").read_text().count("(leak.py)") >= 2


@pytest.mark.push
def test_a_program_that_never_ends_is_stopped(run: Labkit, folder: Path) -> None:
    (folder / "never.py").write_text("while True: pass")

    finished = run("--timeout", "0.5", "never.py")

    assert finished.returncode == 1
    assert "had not ended after 0.5 s and was stopped" in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-m"],
        ["no_such_script.py"],
        ["."],
        ["--jsn", "leak.py"],
        ["--level", "all", "leak.py"],
        ["--timeout", "-1", "leak.py"],
        ["--timeout", "soon", "leak.py"],
        ["--timeline", "line.png", "leak.py"],
        ["--timeline", "no/such/folder/line.svg", "leak.py"],
        ["--trace", "trace.svg", "leak.py"],
        ["--record", "/dev/full/record.json", "leak.py"],
        ["--output", ".", "leak.py"],
    ],
    ids=" ".join,
)
def test_misuse_is_refused_before_the_program_runs(run: Labkit, arguments: list[str], folder: Path) -> None:
    before = sorted(folder.iterdir())

    finished = run(*arguments)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert "Traceback" not in finished.stderr
    assert sorted(folder.iterdir()) == before


def test_a_file_that_was_there_is_not_harmed_by_misuse(run: Labkit, folder: Path) -> None:
    (folder / "line.svg").write_text("old")

    run("--timeline", "line.svg", "--trace", "trace.txt", "leak.py")

    assert (folder / "line.svg").read_text() == "old"


@pytest.mark.push
def test_the_program_reads_what_comes_in(run: Labkit, folder: Path) -> None:
    (folder / "reads.py").write_text("import sys; print(sys.stdin.read().upper())")

    assert run("reads.py", stdin="words").stdout == "WORDS\n"


@pytest.mark.push
def test_the_program_may_come_in_itself(run: Labkit) -> None:
    finished = run("-", "x", stdin=LEAK)

    assert finished.stdout == "done ['x']\n"
    assert "leaked-connection" in finished.stderr


@pytest.mark.push
def test_output_of_100_mb_passes_without_a_stop_on_the_way(folder: Path) -> None:
    (folder / "prints.py").write_text("import sys\nfor _ in range(100): sys.stdout.write('x' * (1 << 20))\n")
    with subprocess.Popen([*LABKIT, "prints.py"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        size = sum(len(part) for part in iter(lambda: process.stdout.read(1 << 20), b""))
        used = psutil.Process(process.pid).memory_info().rss if process.poll() is None else 0

    assert (size, process.returncode) == (100 << 20, 0)
    assert used < 300 << 20


@pytest.mark.push
def test_a_reader_that_goes_away_is_the_program_s_business(folder: Path) -> None:
    (folder / "prints.py").write_text("while True: print('x' * 1000)")
    with subprocess.Popen([*LABKIT, "prints.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        error = process.stderr.read()

    # 120 is Python's own too: at its end it could not write what was left.
    assert process.returncode in (1, 120)
    assert b"BrokenPipeError" in error


# It waits until stdin ends. A signal that came just before a plain read() would be handled only after it.
WAITS = """import os, select, signal
read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write)
print("up", flush=True)
while read in select.select([read, 0], [], [])[0]:
    os.read(read, 1)
"""


def waits(folder: Path, *after: str) -> None:
    (folder / "waits.py").write_text("\n".join([WAITS, *after]))


def begin(*arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*LABKIT, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job is deaf to SIGINT, and so are its children: not these.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return process


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_program_and_what_is_known_is_reported(number: int, status: int, folder: Path) -> None:
    waits(folder)
    process = begin("waits.py")

    with process:
        process.send_signal(number)
        assert process.stderr
        error = process.stderr.read()  # what comes in stays open: it would end the program too

    assert process.returncode == status
    assert f"The program was ended by {signal.Signals(number).name}." in error
    assert "nothing was watched" in error


@pytest.mark.push
def test_two_at_once_do_not_disturb_each_other(folder: Path) -> None:
    waits(folder, LEAK)
    both = [begin("waits.py"), begin("waits.py")]

    errors = [process.communicate(timeout=30)[1] for process in both]

    assert [error.count("1  leaked-connection") for error in errors] == [1, 1]


@pytest.mark.push
def test_labkit_in_the_program_s_environment_is_as_before(run: Labkit, folder: Path) -> None:
    (folder / "shows.py").write_text("import os; print(sorted(n for n in os.environ if 'FLIGHT' in n))")

    assert run("shows.py", LABKIT_FLIGHT="1").stdout == "['LABKIT_FLIGHT_SPOOL']\n"
