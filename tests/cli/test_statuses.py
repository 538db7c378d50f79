"""What commands say by their exit status and in JSON, asked in this process: nothing is started."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labkit import services
from labkit.cli.app import app, main
from labkit.course import examination
from labkit.course.examination import Examination
from labkit.course.verdict import Verdict
from labkit.services import foreground


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the whole command line, as the console script does; return its exit status."""

    def run(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["labkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    before = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bugs", "show", "scope_by_ib"), "Did you mean scope_by_id"),
        (("hint", "ch99"), "There is no exercise 'ch99'"),
        (("tour", "--provider", "contaners"), "There is no provider 'contaners'"),
    ],
)
def test_misuse_is_one_line_and_exit_status_2(
    typed: Any, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("labkit: ")
    assert words in printed.err
    assert len(printed.err.splitlines()) == 1


def test_what_comes_to_its_end_has_exit_status_0(typed: Any) -> None:
    assert typed("bugs", "list") == 0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder that holds a learner's files and progress."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.PASSED, 0),
        (Verdict.FAILED, 1),
        (Verdict.TIMED_OUT, 1),
        (Verdict.NOT_ATTEMPTED, 1),
        (Verdict.ENVIRONMENT, 2),
    ],
)
def test_the_exit_status_of_a_check_is_its_verdict(
    home: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, status: int
) -> None:
    monkeypatch.setattr(services, "services_in_thread", nullcontext)
    monkeypatch.setattr(
        examination, "examine", lambda exercise, file, *_, **__: Examination(exercise.name, verdict, file)
    )
    checked = CliRunner().invoke(app, ["check", "ch04", "--json"])

    assert checked.exit_code == status, checked.output
    assert json.loads(checked.stdout)["verdict"] == verdict
    kept = json.loads((home / ".labkit" / "progress.json").read_text())
    assert kept["exercises"]["ch04_houston"]["state"] == verdict


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("bugs", "list"), ("bugs", "list", "Event loop is closed"), ("bugs", "show", "lazy_load")],
)
def test_json_is_json(home: Path, arguments: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*arguments, "--json"])

    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)


@pytest.mark.parametrize("status", [0, 7, 127, 143])
def test_services_exec_passes_on_the_exit_status_of_its_command(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def ended(*_: object) -> int:
        return status

    monkeypatch.setattr(foreground, "run_with_services", ended)

    assert CliRunner().invoke(app, ["services", "exec", "--", "work", "--hard"]).exit_code == status
