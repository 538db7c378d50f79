"""The reaper ends what a process leaves, and only that."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labkit.process import folder, reap
from labkit.process.reaper import Reaper


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    reaper = Reaper()
    yield reaper
    assert repr(reaper) == "<Reaper of 0>"


def line(verb: str, kind: str, value: object) -> str:
    return json.dumps([verb, kind, str(value)]) + "\n"


def test_what_was_kept_and_not_released_is_ended(tmp_path: Path) -> None:
    kept, released, made = tmp_path / "kept", tmp_path / "released", tmp_path / "made"
    kept.mkdir()
    released.mkdir()
    code = f"import sys; open({str(made)!r}, 'w').write(sys.stdin.read())"
    command = json.dumps({"command": [sys.executable, "-c", code], "stdin": "secret"})
    lines = [
        line("keep", "folder", kept),
        line("keep", "folder", released),
        line("keep", "command", command),
        line("release", "folder", released),
        '["keep", "fol',  # the process died in the middle of a word
    ]

    reap.end(reap.read(lines))

    assert (kept.exists(), released.exists(), made.read_text()) == (False, True, "secret")


@pytest.mark.learner_path
@pytest.mark.parametrize("earlier", [0.0, 60.0], ids=["it is killed", "a later one of its number is not"])
def test_of_a_process_that_was_kept_it_is_known_when_it_began(earlier: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    began = reap.began(psutil.Process(process.pid)) - earlier
    reap.end([("process", json.dumps([process.pid, began, str(Path(psutil.__file__).parents[1])]))])
    try:
        if earlier:
            assert process.poll() is None
        else:
            assert process.wait(10)
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="there the clock does not move when a process began")
def test_a_process_is_known_when_the_clock_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = psutil.Process()
    created, before = process.create_time(), reap.began(process)
    (tmp_path / "stat").write_text(f"btime {int(psutil.boot_time()) + 3600}\n")
    (tmp_path / str(process.pid)).symlink_to(f"/proc/{process.pid}")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))

    assert psutil.Process(process.pid).create_time() == pytest.approx(created + 3600, abs=2)
    assert reap.began(psutil.Process(process.pid)) == pytest.approx(before, abs=0.1)


def test_what_comes_after_a_command_that_fails_or_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reap, "LONGEST", 0.1)
    commands = [["/no/such/program"], [sys.executable, "-c", "import time; time.sleep(600)"]]

    reap.end([*(("command", json.dumps({"command": each})) for each in commands), ("folder", str(tmp_path))])

    assert not tmp_path.exists()


def test_a_folder_that_can_not_be_removed_yet_is_left_to_the_reaper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    kept: list[str] = []
    monkeypatch.setattr(folder.reaper, "keep", lambda kind, value: kept.append(value))
    monkeypatch.setattr(folder.reaper, "release", lambda kind, value: kept.remove(value))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # as on Windows, where a file of it is open
        with folder.private_folder(1) as first:
            pass
    with folder.private_folder(1):
        pass

    assert kept == [str(first)]


def test_a_folder_that_can_be_removed_only_later_is_removed_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, tries = shutil.rmtree, iter([False, False, True])
    monkeypatch.setattr(shutil, "rmtree", lambda path, **how: next(tries) and remove(path, **how))
    (tmp_path / "kept").mkdir()

    reap.end([("folder", str(tmp_path / "kept"))])

    assert not (tmp_path / "kept").exists()


def test_the_child_is_there_as_long_as_something_is_kept(reaper: Reaper, tmp_path: Path) -> None:
    before = children()
    reaper.keep("folder", str(tmp_path / "one"))
    reaper.keep("folder", str(tmp_path / "two"))
    during = children() - before
    reaper.release("folder", str(tmp_path / "one"))
    assert children() - before == during
    reaper.release("folder", str(tmp_path / "two"))

    assert (len(during), children() - before) == (1, set())


def test_a_child_that_was_killed_is_replaced_and_knows_all(reaper: Reaper, tmp_path: Path) -> None:
    before = children()
    reaper.keep("folder", str(tmp_path / "one"))
    [first] = children() - before
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    reaper.keep("folder", str(tmp_path / "two"))

    [second] = children() - before - {first}
    assert repr(reaper) == "<Reaper of 2>"
    reaper.release("folder", str(tmp_path / "one"))
    reaper.release("folder", str(tmp_path / "two"))
    assert second not in children()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_hide_its_parents_death(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from labkit.process import private_folder
with private_folder(1) as folder:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        signal.pause()
    print(folder, child, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=30,
    )
    folder, child = told.stdout.split()
    try:
        wait_until_gone(Path(folder))
    finally:
        os.kill(int(child), signal.SIGKILL)


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}
