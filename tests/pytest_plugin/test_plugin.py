"""The plugin does what it is asked to, and nothing when it is not asked."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from .cases import found, run

Run = Callable[..., subprocess.CompletedProcess[str]]

LEAKS = """
import asyncio, sys
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, count_users, forgets, make_engine

async def leaves_an_engine(unit=behaves):
    await unit(make_engine())
"""
UNMARKED = f"""{LEAKS}
async def test_forgets():
    await leaves_an_engine(forgets)
"""
MARKED = f"""{UNMARKED}
@pytest.mark.no_leaks
async def test_marked():
    await leaves_an_engine()

@pytest.mark.no_leaks(allow=["engine-not-disposed"])
async def test_allowed():
    await leaves_an_engine()

@pytest.mark.no_leaks(allow="engine-not-disposed")
async def test_allowed_something_else():
    await leaves_an_engine(forgets)
"""


@pytest.fixture
def play(tmp_path: Path) -> Run:
    """Give what writes a test module and runs it."""

    def play(source: str, *options: str, ini: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(source)
        configuration = "asyncio_default_fixture_loop_scope = function"
        (tmp_path / "pytest.ini").write_text(f"[pytest]\nasyncio_mode = auto\n{configuration}\n{ini}\n")
        return run("-W", "ignore", *options, folder=tmp_path, COLUMNS="200")

    return play


def test_off_it_imports_nothing_and_says_nothing(play: Run) -> None:
    result = play(
        "import sys\ndef test_it(): print('sqlalchemy' in sys.modules, 'labkit.recorder' in sys.modules)", "-s"
    )

    assert "False False" in result.stdout
    assert "flight" not in result.stdout
    assert result.returncode == pytest.ExitCode.OK


@pytest.mark.push
def test_off_a_leak_passes_unseen(play: Run) -> None:
    result = play(UNMARKED)

    assert "flight" not in result.stdout
    assert result.returncode == pytest.ExitCode.OK


@pytest.mark.learner_path
def test_report_shows_a_leak_and_lets_the_test_pass(play: Run) -> None:
    result = play(UNMARKED, "--flight=report")

    assert found(result.stdout) == {"test_it.py::test_forgets": ["leaked-connection"]}
    assert "1 passed" in result.stdout
    assert result.returncode == pytest.ExitCode.OK


def test_a_finding_reads_like_a_sentence_and_names_what_to_do(play: Run) -> None:
    shown = " ".join(play(UNMARKED, "--flight=report").stdout.split())

    assert "by task Task-" in shown
    assert "and never returned" in shown
    assert "do: Use `async with`" in shown
    assert "lesson: ch06_the_pool" in shown
    assert "seen: called from test_it.py:8 in leaves_an_engine" in shown


@pytest.mark.push
def test_the_option_can_stand_in_the_configuration_and_is_overruled_on_the_command_line(play: Run) -> None:
    assert "1 error" in play(UNMARKED, ini="flight = strict").stdout
    assert "error" not in play(UNMARKED, "--flight=off", ini="flight = strict").stdout


def test_a_wrong_word_in_the_configuration_is_refused(play: Run) -> None:
    result = play(UNMARKED, ini="flight = loud")

    assert "flight = 'loud' in the configuration: choose one of off, report, strict." in result.stderr
    assert result.returncode == pytest.ExitCode.USAGE_ERROR


def test_a_marked_test_fails_whatever_the_option_says(play: Run) -> None:
    result = play(MARKED, "-v")

    assert "ERROR test_it.py::test_marked - Failed: engine-not-disposed at " in result.stdout
    assert "ERROR test_it.py::test_allowed_something_else - Failed: leaked-connection at " in result.stdout
    assert "4 passed, 2 errors" in result.stdout
    assert "flight recorder" not in result.stdout


@pytest.mark.push
def test_what_a_test_may_leave_is_not_reported_either(play: Run) -> None:
    result = play(MARKED, "--flight=report")

    assert found(result.stdout) == {"test_it.py::test_forgets": ["leaked-connection"]}


@pytest.mark.push
@pytest.mark.parametrize("arguments", ["allow=['leak']", "'engine-not-disposed'", "code='lost-task'"])
def test_a_marker_that_says_nothing_is_refused(play: Run, arguments: str) -> None:
    result = play(f"import pytest\n@pytest.mark.no_leaks({arguments})\ndef test_it(): pass")

    assert "no_leaks takes allow=[codes], not " in result.stdout + result.stderr
    assert result.returncode == pytest.ExitCode.USAGE_ERROR


def test_what_a_wide_fixture_leaks_fails_a_strict_run_and_no_test(play: Run) -> None:
    source = f"""{LEAKS}
@pytest.fixture(scope="session", autouse=True)
def wide():
    asyncio.run(leaves_an_engine())

def test_it():
    pass
"""
    result = play(source, "--flight=strict")

    assert found(result.stdout) == {"session fixture wide of test_it.py": ["engine-not-disposed"]}
    assert "1 passed" in result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED


@pytest.mark.push
def test_in_two_processes_a_strict_run_fails_as_in_one(play: Run) -> None:
    result = play(UNMARKED, "--flight=strict", "-n", "2")

    assert "ERROR test_it.py::test_forgets - Failed: leaked-connection at " in result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_finding_that_is_no_leak_is_reported_and_fails_nothing(play: Run) -> None:
    source = f"""{LEAKS}
async def test_it():
    engine = make_engine()
    async with AsyncSession(engine) as session:
        await count_users(session)
        await asyncio.gather(count_users(session), count_users(session))
    await engine.dispose()
"""
    result = play(source, "--flight=strict")

    assert found(result.stdout) == {"test_it.py::test_it": ["session-shared"]}
    assert result.returncode == pytest.ExitCode.OK


def test_a_test_that_fails_by_itself_keeps_its_own_failure(play: Run) -> None:
    result = play(f"{UNMARKED}    raise ValueError('its own')", "--flight=strict")

    assert "FAILED test_it.py::test_forgets - ValueError: its own" in result.stdout
    assert "ERROR test_it.py::test_forgets - Failed: leaked-connection at " in result.stdout


def test_a_finding_stands_in_the_xml_that_ci_reads(play: Run, tmp_path: Path) -> None:
    play(UNMARKED, "--flight=report", f"--junitxml={tmp_path}/report.xml")
    told = ET.parse(tmp_path / "report.xml").findall(".//property[@name='flight']")

    assert [each.attrib["value"].partition(" at ")[0] for each in told] == ["leaked-connection"]


@pytest.mark.push
def test_an_engine_that_a_conftest_makes_when_it_is_imported_is_named_by_its_line(
    play: Run, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text("from suites.app import make_engine\nengine = make_engine()\n")
    result = play(
        f"{LEAKS}\nasync def test_it():\n    import conftest\n    await behaves(conftest.engine)", "--flight=report"
    )

    assert found(result.stdout) == {"test_it.py::test_it": ["engine-not-disposed"]}
    assert "made at app.py:" in result.stdout


@pytest.mark.push
def test_it_is_found_by_its_name_and_can_be_left_out(play: Run) -> None:
    assert play("def test_it(): pass", "-p", "no:labkit").returncode == pytest.ExitCode.OK
    assert "--flight" not in play("def test_it(): pass", "-p", "no:labkit", "--help").stdout


@pytest.mark.push
def test_a_conftest_can_bring_it_too(play: Run, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["labkit.pytest_plugin"]')
    result = play(UNMARKED, "-p", "no:labkit", "--flight=strict")

    assert "1 error" in result.stdout, result.stdout + result.stderr


def test_its_import_needs_neither_the_recorder_nor_sqlalchemy() -> None:
    source = "import sys, labkit.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)

    assert "labkit.pytest_plugin" in done.stdout
    assert "sqlalchemy" not in done.stdout
    assert "labkit.recorder" not in done.stdout
