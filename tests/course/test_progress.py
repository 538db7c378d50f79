"""A learner's progress is a file that a person can read and edit, and that nothing is lost from in silence."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labkit.course.examination import Examination
from labkit.course.exercises import Exercise
from labkit.course.progress import NO_HINT_LEFT, Done, Predicted, Progress, ProgressFile
from labkit.course.verdict import Verdict
from labkit.errors import InvalidSetting

DOCUMENTED = {
    "version": 1,
    "exercises": {"ch04_houston": {"state": "passed", "attempts": 3, "hints": 1, "solution_seen": False}},
    "predictions": {"connections out": {"predicted": "0", "measured": "1"}},
}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def file(tmp_path: Path, told: list[str]) -> ProgressFile:
    return ProgressFile(tmp_path, told.append)


def write(file: ProgressFile, content: object) -> None:
    file.path.parent.mkdir(exist_ok=True)
    if isinstance(content, bytes):
        file.path.write_bytes(content)
    else:
        file.path.write_text(content if isinstance(content, str) else json.dumps(content))


def examined(verdict: Verdict) -> Examination:
    return Examination("ch04_houston", verdict, Path("ch04_houston.py"))


def test_without_a_file_nothing_was_done(file: ProgressFile, told: list[str]) -> None:
    assert file.read() == Progress()
    assert told == []
    assert not file.path.exists()


def test_the_file_is_in_the_documented_format(file: ProgressFile) -> None:
    def learn(progress: Progress) -> None:
        progress.keep(examined(Verdict.FAILED))
        progress.keep(examined(Verdict.TIMED_OUT))
        progress.keep(examined(Verdict.PASSED))
        progress.see_hint("ch04_houston", of=3)
        progress.predict("connections out", "0")
        progress.measure("connections out", "1")

    file.change(learn)

    assert file.path.name == "progress.json"
    assert file.path.parent.name == ".labkit"
    assert json.loads(file.path.read_text()) == DOCUMENTED
    assert [each.name for each in file.path.parent.iterdir()] == ["progress.json"]


def test_a_file_that_a_person_has_edited_is_read(file: ProgressFile, told: list[str]) -> None:
    write(file, '{"exercises": {"ch04_houston": {"state": "passed"}, "of another course": {"attempts": 2}}}')
    progress = file.read()

    assert progress.passed() == {"ch04_houston"}
    assert progress.exercises["of another course"] == Done(attempts=2)
    assert told == []


def test_what_a_person_has_written_is_still_there_after_a_change(file: ProgressFile) -> None:
    write(file, {**DOCUMENTED, "exercises": {"of another course": {"state": "failed", "attempts": 2}}})
    file.change(lambda progress: progress.see_solution("ch04_houston"))

    assert file.read().exercises["of another course"] == Done(state=Verdict.FAILED, attempts=2)
    assert file.read().exercises["ch04_houston"].solution_seen
    assert file.read().predictions == {"connections out": Predicted(predicted="0", measured="1")}


def test_a_byte_order_mark_of_an_editor_is_no_damage(file: ProgressFile, told: list[str]) -> None:
    write(file, b"\xef\xbb\xbf" + json.dumps(DOCUMENTED).encode())

    assert file.read().passed() == {"ch04_houston"}
    assert told == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 1, "exercises": ',
        b"\xff\xfe\x00",
        b"\x00" * 512,
        "[" * 100_000,
        {"exercises": {"ch04_houston": {"state": "won"}}},
        {"exercises": {"ch04_houston": {"hints": -1}}},
        {"exercises": {"ch04_houston": {"hint": 1}}},
        {"exercises": ["ch04_houston"]},
        {"predictions": {"connections out": 0}},
        {"version": 0},
        {"version": 2.0},
        {"version": "one"},
    ],
    ids=repr,
)
def test_a_damaged_file_is_kept_aside_and_said(file: ProgressFile, told: list[str], content: object) -> None:
    write(file, content)
    damaged = file.path.read_bytes()
    file.change(lambda progress: progress.keep(examined(Verdict.PASSED)))

    aside = file.path.with_name("progress.damaged-1.json")
    assert aside.read_bytes() == damaged
    assert len(told) == 1
    assert told[0].startswith(f"{file.path} can't be read (")
    assert told[0].endswith("it is kept as progress.damaged-1.json")
    assert file.read().passed() == {"ch04_houston"}


def test_no_damaged_file_is_written_over_another(file: ProgressFile, told: list[str]) -> None:
    for content in ("first", "second"):
        write(file, content)
        file.read()

    kept = [file.path.with_name(f"progress.damaged-{number}.json").read_text() for number in (1, 2)]
    assert kept == ["first", "second"]
    assert len(told) == 2


@pytest.mark.parametrize("version", [2, 99])
def test_a_newer_file_is_refused_and_left_alone(file: ProgressFile, told: list[str], version: int) -> None:
    write(file, {"version": version, "learners": []})
    before = file.path.read_bytes()

    with pytest.raises(InvalidSetting, match=rf"newer labkit \(version {version}\).*Update labkit"):
        file.change(lambda progress: progress.keep(examined(Verdict.PASSED)))
    assert file.path.read_bytes() == before
    assert [each.name for each in file.path.parent.iterdir()] == ["progress.json"]
    assert told == []


def test_a_file_that_can_not_be_opened_is_said(file: ProgressFile) -> None:
    file.path.mkdir(parents=True)

    with pytest.raises(InvalidSetting, match=r"progress.json can't be read: Is a directory. Move it away"):
        file.read()


@pytest.mark.parametrize("verdict", Verdict)
def test_whoever_has_passed_stays_so(file: ProgressFile, verdict: Verdict) -> None:
    file.change(lambda progress: progress.keep(examined(Verdict.PASSED)))
    file.change(lambda progress: progress.keep(examined(verdict)))

    assert file.read().passed() == {"ch04_houston"}


def test_attempts_are_counted_and_a_look_is_none(file: ProgressFile) -> None:
    for verdict in (Verdict.NOT_ATTEMPTED, Verdict.FAILED, Verdict.ENVIRONMENT):
        file.change(lambda progress, verdict=verdict: progress.keep(examined(verdict)))

    assert file.read().exercises["ch04_houston"] == Done(state=Verdict.ENVIRONMENT, attempts=2)


def hinted(folder: Path, solution: str) -> Exercise:
    (folder / "hints.md").write_text("# Hints\n\n## 1\n\nlook\n\n## 2\n\nlook there\n")
    (folder / "exercise.py").write_text("async def save(pool):\n    return pool\n")
    (folder / "solution.py").write_text(solution)
    return Exercise("ch04_houston", "Houston", 25, folder)


def test_after_the_hints_come_the_lines_of_a_fix_to_be_put_in_order(file: ProgressFile, tmp_path: Path) -> None:
    fix = "async def save(pool):\n    async with pool:  # ours\n        await b()\n        await a()\n"
    exercise = hinted(tmp_path, f'"""Why."""\n{fix}')

    shown = [file.next_hint(exercise) for _ in range(4)]
    assert shown[:2] == ["Hint 1 of 2: look", "Hint 2 of 2: look there"]
    assert shown[2] == f"{NO_HINT_LEFT}\n\n    async with pool:\n    await a()\n    await b()"
    assert shown[3] == shown[2]
    assert file.read().exercises["ch04_houston"].hints == 2


def test_one_line_is_no_puzzle_and_the_last_hint_comes_again(file: ProgressFile, tmp_path: Path) -> None:
    exercise = hinted(tmp_path, "async def save(pool):\n    return await pool\n")

    shown = [file.next_hint(exercise) for _ in range(3)]
    assert shown == ["Hint 1 of 2: look", "Hint 2 of 2: look there", "Hint 2 of 2: look there"]
    assert file.read().exercises["ch04_houston"].hints == 2


def test_a_new_prediction_forgets_what_was_measured_for_the_old_one(file: ProgressFile) -> None:
    file.change(lambda progress: progress.predict("out", "0"))
    file.change(lambda progress: progress.measure("out", "1"))
    file.change(lambda progress: progress.predict("out", "1"))

    assert file.read().predictions["out"] == Predicted(predicted="1")


def test_a_change_that_fails_changes_nothing(file: ProgressFile) -> None:
    write(file, DOCUMENTED)

    with pytest.raises(ZeroDivisionError):
        file.change(lambda progress: 1 / 0)
    assert json.loads(file.path.read_text()) == DOCUMENTED
    assert [each.name for each in file.path.parent.iterdir()] == ["progress.json"]


WRITER = """
import sys
from pathlib import Path
from labkit.course.progress import ProgressFile

file = ProgressFile(Path(sys.argv[1]))
for number in range(1_000_000):
    file.change(lambda progress: progress.predictions.clear() or [
        progress.predict(f"prediction {each}", str(number)) for each in range(500)
    ])
"""


def test_a_writer_that_is_killed_leaves_the_old_or_the_new_file(file: ProgressFile, told: list[str]) -> None:
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file.path.parents[1])])
        try:
            wait_until_it_writes(writer, file)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        kept = file.read().predictions
        assert told == []
        assert len(kept) == 500
        assert len({each.predicted for each in kept.values()}) == 1


def wait_until_it_writes(writer: subprocess.Popen[bytes], file: ProgressFile) -> None:
    """Wait until a file that is not yet the new one is there: the writer is in the middle of it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and writer.poll() is None:
        if file.path.exists() and list(file.path.parent.glob("progress-*.tmp")):
            return
    raise AssertionError(f"the writer did not write, status {writer.poll()}")
