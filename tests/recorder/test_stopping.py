"""A program that does not end is asked where it is, and stopped with what it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from labkit.process import Program
from labkit.recorder.process import runner
from labkit.recorder.process.diagnosis import Diagnosis
from labkit.recorder.task_dump import Waiting

READY = """
import os, sys
def ready(): open(sys.argv[1], "w").close()
"""

ASYNC = f"""{READY}
import asyncio
async def stuck(event):
    await event.wait()
async def main():
    event = asyncio.Event()
    tasks = [asyncio.create_task(stuck(event), name=name) for name in ("first", "second")]
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(ready)
    await asyncio.gather(*tasks)
asyncio.run(main())
"""

HOLDS = f"""{READY}
import asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
async def job(engine):
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        asyncio.get_running_loop().call_soon(ready)
        await asyncio.Event().wait()
async def main():
    await asyncio.create_task(job(create_async_engine("sqlite+aiosqlite://")), name="holder")
asyncio.run(main())
"""

THREAD = f"""{READY}
import threading
lock = threading.Lock()
def work():
    lock.acquire()
    ready(); lock.acquire()
threading.Thread(target=work, name="worker").start()
"""

# The last word comes from inside the loop in C, which looks at no signal.
DEAF = """
import itertools, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
said = map(os.close, [fd])
def never():
    "a" in itertools.chain(said, itertools.repeat("b"))
never()
"""

BLOCKED = {
    "busy": f"{READY}\nready()\nwhile True: pass\n",
    "asleep": f"{READY}\nimport time\nready(); time.sleep(1000)\n",
    "in a lock": f"{READY}\nimport threading\nready(); l = threading.Lock(); l.acquire(); l.acquire()\n",
    "deaf": f"{READY}\nimport signal, time\nsignal.signal(15, signal.SIG_IGN)\nready(); time.sleep(1000)\n",
    "refuses": f"{READY}\nimport time\ntry:\n    ready(); time.sleep(1000)\nfinally:\n    time.sleep(1000)\n",
}


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Diagnosis]]:
    """Diagnose a program whose time is up as soon as it says that it is ready."""
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    script = tmp_path / "program.py"

    def wait_until_ready(program: Program, seconds: float) -> int:
        fifo.read_bytes()
        raise subprocess.TimeoutExpired("program", seconds)

    def run(source: str) -> Diagnosis:
        script.write_text(source)
        with monkeypatch.context() as patch:
            patch.setattr(Program, "wait", wait_until_ready)
            return runner.diagnose([str(script), str(fifo)], timeout=60)

    before = psutil.Process().children(recursive=True)
    yield run
    assert [child for child in psutil.Process().children(recursive=True) if child not in before] == []


def waiting(diagnosis: Diagnosis) -> list[Waiting]:
    return [each for process in diagnosis.processes for each in process.waiting]


def running() -> list[int]:
    return [process.pid for process in psutil.process_iter() if process.status() != psutil.STATUS_ZOMBIE]


def lines(waiting: Waiting) -> list[str]:
    return [f"{Path(place.file).name}:{place.line} in {place.function}" for place in waiting.stack]


@pytest.mark.push
@pytest.mark.parametrize("name", BLOCKED)
def test_a_thread_that_does_not_end_is_found_at_its_line(name: str, late: Callable[[str], Diagnosis]) -> None:
    source = BLOCKED[name]
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "ready()" in text and number > 3)

    diagnosis = late(source)

    [thread] = waiting(diagnosis)
    assert (diagnosis.stopped, diagnosis.status) == ("timeout", 1)
    assert thread.who == "thread MainThread"
    assert thread.stack[-1].line in (line, line + 1)


def test_every_task_of_a_loop_is_found_at_its_line(late: Callable[[str], Diagnosis]) -> None:
    diagnosis = late(ASYNC)

    tasks = {each.who: lines(each) for each in waiting(diagnosis)}
    assert tasks == {
        'task "first" (stuck)': ["program.py:7 in stuck"],
        'task "second" (stuck)': ["program.py:7 in stuck"],
        'task "Task-1" (main)': ["program.py:13 in main"],
        "thread MainThread": tasks["thread MainThread"],
    }
    assert "in locks.py" in " ".join(diagnosis.where_it_was())


def test_a_task_that_holds_a_connection_is_said_to_hold_it(late: Callable[[str], Diagnosis]) -> None:
    diagnosis = late(HOLDS)

    [holder] = [each for each in waiting(diagnosis) if "holder" in each.who]
    assert (holder.holds, lines(holder)) == ([1], ["program.py:12 in job"])
    assert str(holder).endswith("it holds connection 1")
    assert diagnosis.findings == []


@pytest.mark.learner_path
def test_a_program_is_asked_however_this_system_can_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, ready = tmp_path / "program.py", tmp_path / "ready"
    script.write_text(HOLDS)

    def wait_until_ready(program: Program, seconds: float) -> int:
        while not ready.exists():
            time.sleep(0.01)
        raise subprocess.TimeoutExpired("program", seconds)

    monkeypatch.setattr(Program, "wait", wait_until_ready)
    diagnosis = runner.diagnose([str(script), str(ready)], timeout=60)
    holder = next(each for each in waiting(diagnosis) if "holder" in each.who)

    assert [process.ended for process in diagnosis.processes] == ["asked"]
    assert (lines(holder)[0], len(holder.holds)) == ("program.py:12 in job", 1)


def test_threads_beside_the_main_one_are_found(late: Callable[[str], Diagnosis]) -> None:
    places = {each.who: lines(each) for each in waiting(late(THREAD))}

    assert places["thread worker"][0].startswith("program.py:9 in work")


def test_a_program_that_can_t_answer_leaves_where_its_threads_are(
    late: Callable[[str], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "ANSWER", 0.5)
    monkeypatch.setattr(runner, "GRACE", 0.1)

    diagnosis = late(DEAF)

    assert diagnosis.processes == []
    assert 'program.py", line 6 in never' in diagnosis.stacks
    assert "did not answer" in " ".join(diagnosis.where_it_was())


def test_a_program_that_is_stopped_before_it_listens_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import time; time.sleep(1000)")

    diagnosis = runner.diagnose([str(tmp_path / "program.py")], timeout=0)

    assert (diagnosis.stopped, diagnosis.status) == ("timeout", 1)


def test_what_the_program_has_started_is_stopped_with_it_and_nothing_else(
    late: Callable[[str], Diagnosis], tmp_path: Path
) -> None:
    sleep = [sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); input()"]
    stranger = subprocess.Popen(sleep, stdin=subprocess.PIPE)
    try:
        late(
            f"{READY}\nimport subprocess\n"
            f"p = subprocess.Popen({sleep!r}, stdin=subprocess.PIPE)\n"
            "r, w = os.pipe()\n"
            "if os.fork() == 0:\n    os.setpgid(0, 0); os.read(r, 1)\n"
            f"open({str(tmp_path / 'pids')!r}, 'w').write(str(p.pid))\n"
            "ready(); p.wait()\n"
        )

        assert int((tmp_path / "pids").read_text()) not in running()
        assert stranger.pid in [child.pid for child in psutil.Process().children()]
    finally:
        stranger.communicate(b"\n")


def test_a_forked_child_is_asked_too(late: Callable[[str], Diagnosis]) -> None:
    fork = "\nif os.fork() == 0:\n    asyncio.run(main())\nos.wait()\n"

    diagnosis = late(HOLDS.replace("\nasyncio.run(main())\n", fork))

    assert [process.ended for process in diagnosis.processes] == ["asked", "asked"]
    assert [len(process.record.holders()) for process in diagnosis.processes] == [0, 1]


def after(ready: Path, *signals: int) -> threading.Thread:
    """Send signals to this process, the first when a program says that it is ready, each other at its next word."""

    def send() -> None:
        for number in signals:
            ready.read_bytes()
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.push
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_passed_on_and_what_is_known_is_reported(number: int, status: int, tmp_path: Path) -> None:
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    (tmp_path / "program.py").write_text(HOLDS)
    thread = after(fifo, number)

    diagnosis = runner.diagnose([str(tmp_path / "program.py"), str(fifo)])
    thread.join()

    assert (diagnosis.stopped, diagnosis.status) == (None, status)
    assert diagnosis.processes[0].record.counts.checkouts == 1


def test_a_second_ctrl_c_stops_a_program_that_does_not_end(tmp_path: Path) -> None:
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    (tmp_path / "program.py").write_text(
        f"{READY}\nimport os, signal\nsignal.signal(2, lambda *_: ready())\n"
        # `signal.pause()` would sleep through a signal that came just before it; a read of the pipe does not.
        "r, w = os.pipe()\nos.set_blocking(w, False)\nsignal.set_wakeup_fd(w)\nready()\nwhile True: os.read(r, 1)\n"
    )
    thread = after(fifo, signal.SIGINT, signal.SIGINT)

    diagnosis = runner.diagnose([str(tmp_path / "program.py"), str(fifo)])
    thread.join()

    assert (diagnosis.stopped, diagnosis.status) == ("interrupted", 130)
    assert [each.who for each in waiting(diagnosis)] == ["thread MainThread"]


@pytest.mark.push
def test_afterwards_signals_do_what_they_did(tmp_path: Path) -> None:
    (tmp_path / "program.py").touch()
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    runner.diagnose([str(tmp_path / "program.py")])

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
