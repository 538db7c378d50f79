"""`labkit learn`, run as a person runs it: at a terminal with single keys, and with lines."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.cli.learn import following
from labkit.course.exercises import Exercise, find_exercise, load_exercises
from labkit.course.lessons import find_checkout
from labkit.course.watching import Watch, state_of
from labkit.settings import install_command

from .conftest import Finished, Labkit

with contextlib.suppress(ModuleNotFoundError):  # Windows has no such terminals: only lines are read there
    import fcntl
    import pty
    import termios

EXERCISES = load_exercises(find_checkout())
HOUSTON = find_exercise(EXERCISES, "ch04_houston")
SOLVED = HOUSTON.solution.read_text("utf-8")
LABKIT = [sys.executable, "-m", "labkit", "learn"]
KEYS = "n next   h hint   l list   r reset   s solution   q quit"


class Learner:
    """A person at a terminal of their own, with a home and a folder for temporary files."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        # Not below `home`: the fork server has a socket in there, whose path must be short.
        self.temporary = Path(tempfile.mkdtemp(prefix="labkit-"))
        self.file = home / "exercises" / "ch04_houston.py"
        self._screen, self.terminal = pty.openpty()
        self.mode = termios.tcgetattr(self.terminal)
        self.read = ""  # what was on the screen before what is waited for next
        self._unread = b""
        self._process = subprocess.Popen(
            [*LABKIT, *arguments],
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            env=environment(home) | {"TMPDIR": str(self.temporary)},
            start_new_session=True,
            preexec_fn=own_terminal,
        )
        self.process = psutil.Process(self._process.pid)

    def sees(self, words: str) -> None:
        """Wait until these words are on the screen; what comes after them is not read yet."""
        deadline = time.monotonic() + 60
        while words.encode() not in self._unread:
            ended = self._process.poll() is not None
            assert self._look() or not (ended or time.monotonic() > deadline), self.read + self._unread.decode()
        before, _, self._unread = self._unread.partition(words.encode())
        self.read += before.decode() + words

    def _look(self) -> bool:
        """Read what is new on the screen, without its colours; say whether there was something."""
        if not select.select([self._screen], [], [], 0.1)[0]:
            return False
        self._unread = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self._unread + os.read(self._screen, 65536))
        return True

    def presses(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def saves(self, text: str) -> None:
        """Save as many editors do: another file takes the place of the one that was there."""
        saved = self.home / "saved"
        saved.write_text(text, "utf-8")
        saved.replace(self.file)

    def progress(self) -> Any:
        return json.loads((self.home / ".labkit" / "progress.json").read_text())["exercises"]["ch04_houston"]

    def has_left(self, status: int) -> bool:
        """Wait for the end, with this status and the terminal as it was; say whether no temporary file is left."""
        while self._process.poll() is None or self._look():
            self._look()
        assert b"Traceback" not in self._unread
        assert self._process.returncode == status, self.read + self._unread.decode()
        assert termios.tcgetattr(self.terminal) == self.mode
        return list(self.temporary.iterdir()) == []

    def close_terminal(self) -> None:
        os.close(self.terminal)
        os.close(self._screen)

    def goes_home(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.temporary)
        for file in (self.terminal, self._screen):
            try:
                os.close(file)
            except OSError:  # it was closed before
                continue


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "LABKIT_HOME": str(home), "COLUMNS": "300", "TERM": "xterm", "NO_COLOR": "1"}


def own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # A shell's background job is deaf to SIGINT, and so are its children: not this one.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Learner]]:
    pytest.importorskip("pty", reason="needs a terminal of POSIX")
    learners: list[Learner] = []

    def begin(*arguments: str) -> Learner:
        learners.append(Learner(tmp_path, *arguments))
        return learners[-1]

    yield begin
    for learner in learners:
        learner.goes_home()


@pytest.fixture
def learner(begin: Callable[..., Learner]) -> Learner:
    """Give a learner who has seen what comes of the untouched exercise."""
    learner = begin("ch04")
    learner.sees(KEYS)
    return learner


@pytest.mark.providers("embedded")
def test_a_learner_sees_it_fail_fixes_it_and_sees_it_pass(begin: Callable[..., Learner], provider: str) -> None:
    learner = begin("ch04", "--provider", provider)
    learner.sees(f"your file  {learner.file}")
    learner.sees("checking")
    learner.sees("not attempted")
    learner.sees("✗ the engine of the story is caught")
    learner.sees(KEYS)
    learner.file.write_text(SOLVED, "utf-8")
    learner.sees("checking")
    learner.sees("ch04_houston  Houston: the second save  passed")
    learner.sees(KEYS)
    learner.presses("h")
    learner.sees(f"Hint 1 of {len(HOUSTON.hints())}: {HOUSTON.hints()[0][:40]}")
    learner.presses("l")
    learner.sees("1 of 3 hints seen")
    learner.presses("s")
    learner.sees("out = engine.statistics().checked_out")
    learner.sees("No fixes:")
    learner.sees(KEYS)
    learner.presses("q")

    assert learner.has_left(0)
    assert learner.progress() == {"state": "passed", "attempts": 1, "hints": 1, "solution_seen": True}


@pytest.mark.push
def test_a_save_by_renaming_is_seen_and_a_second_one_too(learner: Learner) -> None:
    learner.saves(SOLVED.replace("out == 0", "True"))
    learner.sees("ch04_houston  Houston: the second save  failed")
    learner.sees(KEYS)
    learner.saves(SOLVED)
    learner.sees("ch04_houston  Houston: the second save  passed")
    learner.sees(KEYS)
    learner.presses("q")

    assert learner.has_left(0)


def waiting_for(gate: Path) -> str:
    """Return a solution that, when it is imported, waits until somebody has opened and closed a pipe."""
    os.mkfifo(gate)
    return f"{SOLVED}\nopen({str(gate)!r}).read()\n"


@pytest.mark.push
def test_ten_saves_during_a_check_lead_to_one_more(learner: Learner, tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    learner.saves(waiting_for(gate))
    with gate.open("w"):  # it is being checked now
        for number in range(10):
            learner.saves(f"{SOLVED}\nprint('save {number}', file=open({str(log)!r}, 'a'))\n")
    for _ in range(2):
        learner.sees("  passed")
        learner.sees(KEYS)
    learner.saves(f"{SOLVED}\nprint('the last', file=open({str(log)!r}, 'a'))\n")
    learner.sees("  passed")
    learner.sees(KEYS)
    learner.presses("q")

    assert learner.has_left(0)
    assert log.read_text() == "save 9\nthe last\n"


@pytest.mark.push
def test_who_leaves_during_a_check_does_not_wait_for_all_of_it(learner: Learner, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    learner.saves(waiting_for(gate))
    with gate.open("w"):
        learner.presses("q")
        select.select([learner.terminal], [], [])  # the key is there to be read

    assert learner.has_left(0)
    assert learner.progress()["state"] == "not attempted"


@pytest.mark.push
def test_a_deleted_file_is_said_to_be_gone_and_a_fresh_one_is_given(learner: Learner) -> None:
    learner.file.unlink()
    learner.sees(f"{learner.file} is gone")
    learner.sees(KEYS)
    learner.presses("r")
    learner.sees("ch04_houston is as it was at the beginning.")
    learner.sees("not attempted")
    learner.sees(KEYS)
    fresh = learner.file.read_bytes()
    learner.presses("q")

    assert learner.has_left(0)
    assert fresh == HOUSTON.broken.read_bytes()


@pytest.mark.push
def test_a_deleted_folder_is_made_anew_and_saves_in_it_are_seen(learner: Learner) -> None:
    learner.file.unlink()
    learner.file.parent.rmdir()
    learner.sees("is gone")
    learner.presses("r")
    learner.sees("not attempted")
    learner.sees(KEYS)
    learner.saves(SOLVED)
    learner.sees("  passed")
    learner.presses("q")

    assert learner.has_left(0)


@pytest.mark.push
def test_after_a_reset_what_was_written_is_kept_and_the_fresh_file_is_judged_once(learner: Learner) -> None:
    learner.saves(SOLVED)
    learner.sees("  passed")
    learner.sees(KEYS)
    learner.presses("r")
    learner.sees("what you had is ch04_houston.old-1.py")
    learner.sees("not attempted")
    learner.sees(KEYS)
    learner.presses("h")
    learner.sees("Hint 1")
    checks = learner.read.count("your file  ")
    learner.presses("q")

    assert learner.has_left(0)
    assert checks == 3  # the fresh file is no save
    assert learner.file.with_name("ch04_houston.old-1.py").read_text("utf-8") == SOLVED


@pytest.mark.push
def test_an_unknown_key_lists_the_keys(learner: Learner) -> None:
    for key, said in {"x": "'x' is", "an arrow": "That is", "Enter": "That is", "ü": "'ü' is"}.items():
        learner.presses({"an arrow": "\x1b[A", "Enter": "\n"}.get(key, key))
        learner.sees(f"{said} no key here.")
        learner.sees(KEYS)
    learner.presses("\x04")  # end of input

    assert learner.has_left(0)
    assert learner.read.count("no key here") == 4


@pytest.mark.push
@pytest.mark.usefixtures("no_coverage")
@pytest.mark.parametrize(
    "checking", [True, pytest.param(False, marks=pytest.mark.full)], ids=["in a check", "between checks"]
)
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "the terminal is closed"])
def test_interrupted_it_leaves_nothing(learner: Learner, how: str, checking: bool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    if checking:
        learner.saves(waiting_for(gate))
    with gate.open("w"):
        began = learner.process.children(recursive=True)
        checks = sum("forkserver" in " ".join(each.cmdline()) for each in began) - 1  # the server of forks stays
        if how == "Ctrl-C":
            learner.presses("\x03")
            assert learner.has_left(130)
        elif how == "SIGTERM":
            learner.process.terminate()
            assert learner.has_left(143)
        else:
            learner.close_terminal()
            learner.process.wait(30)

    assert bool(checks) == checking
    assert psutil.wait_procs(began, timeout=10)[1] == []
    assert list(learner.temporary.iterdir()) == []


@pytest.mark.push
def test_suspended_it_gives_the_terminal_back_and_takes_it_again(learner: Learner) -> None:
    taken = termios.tcgetattr(learner.terminal)
    learner.presses("\x1a")
    os.waitpid(learner.process.pid, os.WUNTRACED)
    suspended = termios.tcgetattr(learner.terminal)
    learner.process.resume()
    learner.presses("h")
    learner.sees("Hint 1")
    learner.presses("q")

    assert learner.has_left(0)
    assert taken != suspended == learner.mode


@pytest.fixture
def run(labkit: Labkit, tmp_path: Path) -> Callable[..., Finished]:
    """Run `labkit learn` with these lines as its input."""
    home = {"LABKIT_HOME": str(tmp_path), "NO_COLOR": "1"}
    return lambda keys, *arguments: labkit("learn", *arguments, stdin=keys, **home)


@pytest.mark.learner_path
def test_without_a_terminal_lines_are_read(run: Callable[..., Finished], tmp_path: Path) -> None:
    finished = run("h\nhint\n\nwhat\nL\nq\nh\n", "ch04")

    assert finished.returncode == 0, finished.stderr
    said = [
        f"your file  {tmp_path / 'exercises' / 'ch04_houston.py'}\nchecking …\n",
        "✗ the engine of the story is caught",
        "Hint 1 of 3",
        "Hint 2 of 3",
        "That is no key here.",
        "'what' is no key here.",
        "2 of 3 hints seen",
    ]
    places = [finished.stdout.find(each) for each in said]
    assert -1 not in places
    assert places == sorted(places)
    assert finished.stdout.count(KEYS) == 6
    assert "Hint 3" not in finished.stdout
    assert "\x1b" not in finished.stdout


def test_at_the_end_of_input_all_was_done_that_was_asked(run: Callable[..., Finished]) -> None:
    finished = run("h", "ch04")  # a line without an end

    assert (finished.returncode, finished.stderr) == (0, "")
    assert "✗ the engine of the story is caught" in finished.stdout
    assert finished.stdout.count("Hint 1") == 1


def pass_all(home: Path, exercises: list[Exercise]) -> None:
    (home / ".labkit").mkdir()
    done = {each.name: {"state": "passed"} for each in exercises}
    (home / ".labkit" / "progress.json").write_text(json.dumps({"version": 1, "exercises": done}))


def test_who_has_not_passed_may_go_on_all_the_same(run: Callable[..., Finished]) -> None:
    first, second, *_ = EXERCISES
    finished = run("n\n", first.name)

    assert finished.returncode == 0, finished.stderr
    assert f"{first.name} is not passed yet. You may go on all the same" in finished.stdout
    assert f"{second.name}  {second.title}  not attempted" in finished.stdout


def test_who_passes_the_last_one_is_told_that_all_is_passed(run: Callable[..., Finished], tmp_path: Path) -> None:
    pass_all(tmp_path, [each for each in EXERCISES if each != HOUSTON])
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "ch04_houston.py").write_text(SOLVED, "utf-8")
    finished = run("next\n")

    assert "ch04_houston  Houston: the second save  passed" in finished.stdout
    assert f"All is passed: {len(EXERCISES)} of {len(EXERCISES)}." in finished.stdout


def test_at_the_last_one_that_is_not_passed_there_is_no_next(run: Callable[..., Finished], tmp_path: Path) -> None:
    *others, last = EXERCISES
    pass_all(tmp_path, others)
    finished = run("n\n")

    assert f"{last.name}  {last.title}  not attempted" in finished.stdout
    assert f"{last.name} is the last one that is not passed." in finished.stdout
    assert finished.stdout.count("checking …") == 1


def course(count: int) -> list[Exercise]:
    return [Exercise(f"ch0{number}_x", "X", 1, Path(f"ch0{number}_x")) for number in range(count)]


@pytest.mark.parametrize(
    ("current", "passed", "there"),
    [
        (0, (), 1),
        (0, (1,), 1),  # it was not passed: the next in order, whatever was done with that
        (0, (0, 1), 2),
        (2, (0, 2), 1),  # after the last one, what was left out
        (2, (2,), 0),
        (2, (), 0),
        (2, (0, 1), None),
        (2, (0, 1, 2), None),
        (0, (0, 1, 2), None),
    ],
)
def test_next_leads_to_what_is_not_passed(current: int, passed: tuple[int, ...], there: int | None) -> None:
    exercises = course(3)
    found = following(exercises, exercises[current], {exercises[each].name for each in passed})

    assert found == (None if there is None else exercises[there])


@pytest.mark.push
def test_a_damaged_progress_file_is_said_and_kept(begin: Callable[..., Learner], tmp_path: Path) -> None:
    (tmp_path / ".labkit").mkdir()
    (tmp_path / ".labkit" / "progress.json").write_text("{")
    learner = begin()
    learner.sees(f"{EXERCISES[0].name}  {EXERCISES[0].title}  not attempted")
    learner.sees("progress.json can't be read")
    learner.sees(KEYS)
    learner.presses("q")

    assert learner.has_left(0)
    assert (tmp_path / ".labkit" / "progress.damaged-1.json").read_text() == "{"


def test_an_unknown_name_is_one_line_and_exit_2(run: Callable[..., Finished]) -> None:
    finished = run("", "ch04_huston")

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("labkit: There is no exercise 'ch04_huston'. Did you mean ch04_houston")
    assert finished.stderr.count("\n") == 1


@pytest.mark.push
def test_without_watchfiles_it_says_how_to_get_it(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['watchfiles'] = None; from labkit.cli import main; main()"
    finished = subprocess.run(
        [sys.executable, "-c", blocked, "learn"], capture_output=True, text=True, env=environment(tmp_path)
    )

    assert finished.returncode == 2
    assert finished.stderr == (
        f"labkit: This command needs watchfiles, which is not installed. Run: {install_command()}\n"
    )


def test_its_help_has_the_keys_and_examples(run: Callable[..., Finished]) -> None:
    finished = run("", "--help")
    plain = re.sub(r"\s+", " ", finished.stdout)

    assert finished.returncode == 0
    assert "Examples" in plain
    assert "n next, h hint, l list, r reset, s solution and q quit" in plain


def test_a_save_is_told_at_once_and_not_only_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labkit.course.watching.LOOK", 3600.0)
    file, seen = tmp_path / "ch04_houston.py", threading.Event()

    def save() -> None:  # again and again: nobody knows when the folder begins to be watched
        while not seen.wait(0.2):
            (tmp_path / "saved").write_text("pass")
            (tmp_path / "saved").replace(file)

    source, keyboard = os.pipe()
    saving = threading.Thread(target=save, daemon=True)
    with Watch(tmp_path, source) as watch:
        saving.start()
        assert watch.wait(file, None) is None
        seen.set()
        saving.join()
    os.close(keyboard)
    os.close(source)


def test_a_file_that_is_being_written_is_told_when_it_holds_something(tmp_path: Path) -> None:
    """An editor empties a file before it writes it: that is one save and not two."""
    source, keyboard = os.pipe()
    file = tmp_path / "ch04_houston.py"
    file.write_text("before")
    state = state_of(file)
    with Watch(tmp_path, source) as watch, file.open("w") as written:
        os.write(keyboard, b"h\n")
        assert watch.wait(file, state) == "h"
        written.write("after")
        written.flush()
        assert watch.wait(file, state) is None
    os.close(keyboard)
    os.close(source)


def test_a_folder_that_can_not_be_watched_is_looked_at(tmp_path: Path) -> None:
    source, keyboard = os.pipe()
    folder = tmp_path / "not there yet"
    with Watch(folder, source) as watch:
        folder.mkdir()
        file = folder / "ch04_houston.py"
        file.write_text("pass")
        appeared = watch.wait(file, None)
        state = state_of(file)
        os.write(keyboard, b"h\n")
        key = watch.wait(file, state)
    os.close(keyboard)
    os.close(source)

    assert (appeared, key) == (None, "h")
    assert state is not None
