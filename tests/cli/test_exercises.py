"""`labkit check`, `hint`, `solution`, `reset`, `list`, `verify`: what they print and write, and their status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.course.exercises import find_exercise, load_exercises
from labkit.course.progress import NO_HINT_LEFT

from .conftest import Finished, Labkit

ROOT = Path(__file__).parents[2]
LABKIT = [sys.executable, "-m", "labkit"]
HOUSTON = find_exercise(load_exercises(ROOT), "ch04")

Run = Callable[..., Finished]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give the folder that holds a learner's files and progress."""
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> Iterator[dict[str, str]]:
    # Not below `tmp_path`: the fork server has a socket in there, whose path must be short.
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        yield {"LABKIT_HOME": str(home), "TMPDIR": temporary}


@pytest.fixture
def run(labkit: Labkit, environment: dict[str, str]) -> Run:
    return lambda *arguments, **more: labkit(*arguments, **environment | more)


def own(home: Path, content: str | Path) -> Path:
    """Write a learner's file."""
    path = home / "exercises" / "ch04_houston.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else content.read_text())
    return path


def done(home: Path) -> dict[str, Any]:
    return dict(json.loads((home / ".labkit" / "progress.json").read_text())["exercises"]["ch04_houston"])


def test_the_list_has_every_exercise_and_touches_nothing(run: Run, home: Path) -> None:
    shown, as_json = run("list"), run("list", "--json")
    listed = json.loads(as_json.stdout)

    assert (shown.returncode, as_json.returncode) == (0, 0)
    assert list(listed) == [each.name for each in load_exercises(ROOT)]
    for name, each in listed.items():
        assert name in shown.stdout
        assert each == {"state": "not attempted", "attempts": 0, "hints": 0, "solution_seen": False}
    assert not home.exists()


@pytest.mark.learner_path
def test_the_first_check_gives_the_learner_a_file_of_their_own(run: Run, home: Path) -> None:
    finished = run("check", "4")
    file = home / "exercises" / "ch04_houston.py"

    assert finished.returncode == 1
    assert f"your file  {file}\n" in finished.stderr
    assert "not attempted" in finished.stdout
    assert "Open your file in an editor" in finished.stdout
    assert file.read_text() == HOUSTON.broken.read_text()
    assert done(home) == {"state": "not attempted", "attempts": 0, "hints": 0, "solution_seen": False}


def test_a_slip_of_the_pen_gets_nobodys_explanation(run: Run, home: Path) -> None:
    own(home, HOUSTON.solution.read_text().replace("engine.statistics()", "engine.statistcs()"))
    finished = run("check", "ch04")

    assert "AttributeError" in finished.stdout
    assert "What others have tried" not in finished.stdout


def test_somebodys_folder_is_judged_as_a_whole_whatever_one_has_done_oneself(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "ada"
    folder.mkdir()
    STORY = find_exercise(load_exercises(ROOT), "ch00")
    shutil.copyfile(HOUSTON.solution, folder / f"{HOUSTON.name}.py")
    shutil.copyfile(STORY.broken, folder / f"{STORY.name}.py")
    finished, as_json = run("check", "--dir", str(folder)), run("check", "--dir", str(folder), "--json")

    assert finished.returncode == as_json.returncode == 1
    assert finished.stdout.endswith("\n1 of 2 exercises passed\n")
    assert [each["verdict"] for each in json.loads(as_json.stdout)] == ["not attempted", "passed"]


def test_a_folder_without_any_exercise_is_misuse(run: Run, tmp_path: Path) -> None:
    finished = run("check", "--dir", str(tmp_path))

    assert (finished.returncode, finished.stdout) == (2, "")
    assert "They are called ch00_the_story.py and so on." in finished.stderr


@pytest.mark.parametrize("command", [("check", "ch04"), ("hint", "ch04"), ("reset", "ch04")])
def test_a_home_that_is_no_folder_is_one_line_that_says_what_to_do(
    command: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    finished = run(*command, LABKIT_HOME=str(tmp_path / "file"))

    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert finished.stderr.endswith("Set LABKIT_HOME to a folder of yours.\n")


def test_a_solution_is_code_however_narrow_the_terminal_is(run: Run) -> None:
    printed = run("solution", "ch04", COLUMNS="40").stdout

    assert HOUSTON.solution.read_text().strip() in printed


def test_a_terminal_without_check_marks_gets_other_characters(run: Run) -> None:
    finished = run("list", PYTHONIOENCODING="ascii")

    assert finished.returncode == 0, finished.stderr
    assert "ch04_houston" in finished.stdout


def test_a_wrong_fix_is_told_what_was_expected_and_what_it_got_and_only_then_why(run: Run, home: Path) -> None:
    wrong = next(each for each in HOUSTON.wrong_fixes() if each.name == "sleep_a_little")
    own(home, wrong.path)
    finished = run("check", "ch04")
    expected, got, why = (finished.stdout.find(words) for words in ("expected ", "got ", wrong.because[1:]))

    assert finished.returncode == 1
    assert "ch04_houston  Houston: the second save  failed" in finished.stdout
    assert -1 < expected < got < why
    assert done(home) == {"state": "failed", "attempts": 1, "hints": 0, "solution_seen": False}


def test_a_right_fix_passes_and_stays_passed(run: Run, home: Path) -> None:
    file = own(home, HOUSTON.solution)
    passed = run("check", "houston", "--json")
    told = json.loads(passed.stdout)
    file.write_text("1 / 0\n")
    failed = run("check", "houston", "--json")

    assert (passed.returncode, failed.returncode) == (0, 1)
    assert (told["verdict"], told["exercise"], told["file"]) == ("passed", "ch04_houston", str(file))
    assert len(told["tried"]) == 8
    assert all(each["passed"] for each in told["tried"])
    assert json.loads(failed.stdout)["text"] == (
        "your file can't be imported: line 1: ZeroDivisionError: division by zero"
    )
    assert done(home)["state"] == "passed"
    assert done(home)["attempts"] == 2


def test_after_a_pass_it_says_where_to_read_why(run: Run, home: Path) -> None:
    own(home, HOUSTON.solution)

    assert run("check", "houston").stdout.endswith("\nWhy it works, and what does not: labkit solution ch04\n")


def test_somebody_elses_folder_is_judged_and_not_remembered(run: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    shutil.copyfile(HOUSTON.solution, tmp_path / "ada" / "ch04_houston.py")
    (tmp_path / "bob").mkdir()
    ada, bob, nobody = (
        run("check", "ch04", "--dir", str(tmp_path / name), "--json") for name in ("ada", "bob", "nobody")
    )

    assert [each.returncode for each in (ada, bob, nobody)] == [0, 1, 2]
    assert json.loads(ada.stdout)["verdict"] == "passed"
    assert json.loads(bob.stdout)["verdict"] == "not attempted"
    assert json.loads(bob.stdout)["text"] == f"there is no file {tmp_path / 'bob' / 'ch04_houston.py'}"
    assert "is no folder" in nobody.stderr
    assert not home.exists()
    assert list((tmp_path / "bob").iterdir()) == []


def test_hints_come_one_by_one_and_are_counted(run: Run, home: Path) -> None:
    shown = [run("hint", "ch04").stdout for _ in range(4)]

    assert [each.partition(":")[0] for each in shown] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        NO_HINT_LEFT.partition(":")[0],
    ]
    for line in HOUSTON.lines_of_fix():
        assert f"    {line}\n" in shown[3]
    assert shown[0] == f"Hint 1 of 3: {HOUSTON.hints()[0]}\n"
    assert done(home)["hints"] == 3


def test_the_solution_is_shown_with_what_is_no_fix_and_remembered(run: Run, home: Path) -> None:
    finished = run("solution", "ch04")

    assert finished.returncode == 0
    assert "out = engine.statistics().checked_out" in finished.stdout
    assert HOUSTON.why().splitlines()[0] in finished.stdout
    for fix in HOUSTON.wrong_fixes():
        assert fix.tried in finished.stdout
    assert done(home)["solution_seen"]


def test_a_reset_keeps_what_was_written(run: Run, home: Path) -> None:
    file = own(home, "mine = 1\n")
    first, second = run("reset", "ch04"), run("reset", "ch04")
    kept = file.with_name("ch04_houston.old-1.py")

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == f"ch04_houston is as it was at the beginning; your file is {kept}\n"
    assert second.stdout == "ch04_houston is as it was at the beginning\n"
    assert kept.read_text() == "mine = 1\n"
    assert file.read_text() == HOUSTON.broken.read_text()


@pytest.mark.parametrize("command", ["check", "hint", "solution", "reset"])
def test_an_unknown_name_is_answered_with_the_nearest(command: str, run: Run, home: Path) -> None:
    finished = run(command, "ch04_huston")

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == "labkit: There is no exercise 'ch04_huston'. Did you mean ch04_houston?\n"
    assert not home.exists()


def test_servers_that_are_not_there_are_no_verdict(run: Run, home: Path) -> None:
    own(home, HOUSTON.solution)
    nowhere = {
        "LABKIT_DATABASE_URL": "mysql+asyncmy://lab@127.0.0.1:1/lab",
        "LABKIT_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    finished = run("check", "ch04", "--provider", "url", **nowhere)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert "Expected a database at mysql" in finished.stderr
    assert not (home / ".labkit").exists()


def test_damaged_progress_is_said_and_kept(run: Run, home: Path) -> None:
    (home / ".labkit").mkdir(parents=True)
    (home / ".labkit" / "progress.json").write_text("{")
    finished = run("hint", "ch04")

    assert finished.returncode == 0
    assert "progress.json can't be read (" in finished.stderr
    assert (home / ".labkit" / "progress.damaged-1.json").read_text() == "{"
    assert done(home)["hints"] == 1


def test_newer_progress_is_refused_in_one_line(run: Run, home: Path) -> None:
    (home / ".labkit").mkdir(parents=True)
    (home / ".labkit" / "progress.json").write_text('{"version": 2}')
    finished = run("list")

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.endswith("(version 2). Update labkit, or move the file away.\n")
    assert finished.stderr.count("\n") == 1
    assert (home / ".labkit" / "progress.json").read_text() == '{"version": 2}'


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_check_leaves_nothing(
    number: signal.Signals, status: int, home: Path, environment: dict[str, str]
) -> None:
    own(home, "while True: pass\n")
    process = subprocess.Popen(
        [*LABKIT, "check", "ch04"],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for_output_file(Path(environment["TMPDIR"]))
    began = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    process.communicate(timeout=30)

    assert began
    assert process.returncode == status
    assert psutil.wait_procs(began, timeout=10)[1] == []
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert not (home / ".labkit").exists()


def wait_for_output_file(folder: Path) -> None:
    """Wait until the examiner is at work: what the code prints goes to a file then."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError):
            if list(folder.glob("labkit-*/output.txt")):
                return
        time.sleep(0.02)
    raise AssertionError("no examination has begun")


# The course itself.


@pytest.fixture
def clone(tmp_path: Path, runs_from: Callable[[Path], None]) -> Path:
    """Give a folder that labkit runs from, with a course of one exercise."""
    root = tmp_path / "clone"
    runs_from(root)
    shutil.copytree(
        ROOT / "lessons" / "ch04_houston",
        root / "lessons" / "ch04_houston",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (root / "lessons" / "index.toml").write_text(
        '[[lesson]]\nfolder = "ch04_houston"\ntitle = "Houston"\nminutes = 25\nobjectives = ["see"]\n'
    )
    (root / "notebooks").mkdir()
    (root / "notebooks" / "04_houston.ipynb").write_text("{}")
    return root


def test_a_course_that_is_as_it_should_be_is_told_in_numbers(run: Run, clone: Path) -> None:
    finished = run("verify", "ch04")
    files = 2 + len(HOUSTON.right_fixes()) + len(HOUSTON.wrong_fixes())
    row = ["ch04_houston", "red", "1/1", "green", "1/1"]

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert f"{files} of {files} files tried, 0 faults on embedded, " in finished.stdout
    assert any(line.split()[: len(row)] == row for line in finished.stdout.splitlines())


def test_a_course_is_not_verified_for_an_exercise_that_there_is_not(run: Run, clone: Path) -> None:
    finished = run("verify", "huston")

    assert (finished.returncode, finished.stdout) == (2, "")
    assert "There is no exercise 'huston'. Did you mean ch04_houston?" in " ".join(finished.stderr.split())


def test_a_course_that_is_not_is_named(run: Run, clone: Path) -> None:
    folder = clone / "lessons" / "ch04_houston"
    shutil.copyfile(folder / "solution.py", folder / "exercise.py")
    shutil.rmtree(folder / "right_fixes")
    for path in (folder / "wrong_fixes").glob("*.py"):
        path.unlink()
    finished = run("verify", "--json")
    told = json.loads(finished.stdout)

    assert finished.returncode == 1
    assert told["holds"] is False
    assert told["faults"] == [
        "ch04_houston: 3 fixes of other kinds are needed in right_fixes, got 0",
        "ch04_houston: 3 tempting fixes are needed in wrong_fixes, got 0",
        "ch04_houston/exercise should fail: passed",
    ]
    assert [(each["kind"], each["verdict"]) for each in told["tried"]] == [
        ("broken", "passed"),
        ("solution", "passed"),
    ]
