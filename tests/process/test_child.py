"""A child goes on when somebody presses Ctrl-C, and ends with all that it has started when its block does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from labkit.errors import InvalidInput
from labkit.process import check_importable, child_process


def interrupt_itself(pipe: Connection) -> None:
    signal.raise_signal(signal.SIGINT)
    pipe.send("goes on")


def start_another_and_hang(pipe: Connection) -> None:
    another = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pipe.send(another.pid)
    another.wait()


def say_environment(pipe: Connection, name: str) -> None:
    pipe.send(os.environ.get(name))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no masks of signals")
def test_it_does_not_hear_it_and_who_started_it_hears_it_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with child_process(interrupt_itself, name="deaf") as (child, pipe):
        assert pipe.recv() == "goes on"
        child.join()
        assert child.exitcode == 0
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@pytest.mark.learner_path
def test_what_it_has_started_ends_with_it() -> None:
    with child_process(start_another_and_hang, name="parent") as (child, pipe):
        another = psutil.Process(pipe.recv())
        assert child.pid in [each.pid for each in another.parents()]

    another.wait(timeout=10)
    assert not child.is_alive()


def start_a_child(pipe: Connection) -> None:
    with child_process(say_environment, "LABKIT_OF_THE_MOMENT", name="inner") as (_, inner):
        pipe.send(inner.recv())


def test_a_child_may_have_a_child_and_the_next_ones_start_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_OF_THE_MOMENT", "now")
    for _ in range(3):
        with child_process(start_a_child, name="outer") as (child, pipe):
            assert pipe.recv() == "now"
            child.join()


@pytest.mark.skipif(sys.platform == "win32", reason="its temporary folders hold no sockets")
def test_it_starts_where_the_path_of_the_temporary_folder_is_long(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    code = (
        "from labkit.process import child_process; from tests.process.test_child import say_environment\n"
        "with child_process(say_environment, 'TMPDIR', name='heir') as (_, pipe): print(pipe.recv())"
    )
    own = os.environ | {"TMPDIR": str(long), "PYTHONPATH": str(Path(__file__).parents[2])}
    finished = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True)

    assert (finished.stdout, finished.stderr) == (f"{long}\n", "")
    assert list(long.iterdir()) == []


@pytest.mark.parametrize("value", ["one", "two", None])
def test_it_has_the_environment_of_the_moment(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("LABKIT_OF_THE_MOMENT", value)
    with child_process(say_environment, "LABKIT_OF_THE_MOMENT", name="heir") as (_, pipe):
        assert pipe.recv() == value


def test_what_is_made_in_a_function_can_not_be_sent() -> None:
    class Local:
        pass

    with pytest.raises(InvalidInput, match="Local can't be sent to a child process"):
        check_importable("Local", Local)


def test_what_is_made_at_the_prompt_can_not_be_sent() -> None:
    code = (
        "class Own: pass\n"
        "import sys; del sys.modules['__main__'].__file__\n"
        "from labkit.process import check_importable\n"
        "check_importable('Own', Own)\n"
    )
    finished = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True)

    assert "Own can't be played in a child process" in finished.stderr
