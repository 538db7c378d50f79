"""An examination: what came of an exercise's tests on one file, told apart from servers and clocks that failed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from labkit.course.examiner import NAME_WANTED, examine_here
from labkit.course.exercises import Exercise, WrongFix, is_untouched
from labkit.course.verdict import Verdict
from labkit.errors import Unreachable
from labkit.process import child_process, private_folder
from labkit.services import Services, isolated_services
from labkit.services.login import database_version, redis_version

__all__ = ["Examination", "Tried", "advice_on", "examine"]

START = 60.0  # seconds for a new interpreter to import labkit, on a busy machine
LIMIT = 20.0  # seconds for one test
GRACE = 2.0  # seconds more to tell where it waits
LOGIN = 5.0  # seconds for a server to say that it is there
PRINTED = 2_000  # characters of what the code printed
SLIPS = "NameError", "AttributeError", "TypeError", "UnboundLocalError", "ImportError", "ModuleNotFoundError"
MESSAGE = 2**20  # bytes that the examiner says at once, at most


@dataclass(frozen=True)
class Tried:
    """One test, and what came of it; `text` says what was expected and what it got."""

    test: str
    passed: bool
    text: str = ""


@dataclass(frozen=True)
class Examination:
    """
    What came of an exercise.

    `text` says why there is no more to tell: the file can't be read, the time was over, a server is gone.
    `waiting` are the places where everything waited when the time was over, `printed` is what the code printed.
    """

    exercise: str
    verdict: Verdict
    file: Path
    tried: tuple[Tried, ...] = ()
    text: str = ""
    waiting: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    printed: str = ""
    seconds: float = 0.0

    @property
    def first_failed(self) -> Tried | None:
        """Return the first test that was not passed."""
        return next((each for each in self.tried if not each.passed), None)


@dataclass
class _Heard:
    """What has come through the pipe so far."""

    tests: list[str] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    running: str = ""
    unread: str = ""
    late: str = ""
    not_here: str = ""
    waiting: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    ended: bool = False

    def hear(self, message: dict[str, Any]) -> None:
        match message["what"]:
            case "ready":
                self.tests = message["tests"]
            case "began":
                self.running = message["test"]
            case "unread":
                self.unread = message["text"]
            case "tried":
                self.tried.append(Tried(message["test"], message["result"] == "passed", message["text"]))
                self.waiting = []  # it was late, and not too late
                if message["result"] == "timed out":
                    self.late = message["text"]
                elif message["result"] == "not here":
                    self.not_here = message["text"]
            case "waiting":
                self.waiting = message["lines"]
            case "replaced":
                self.replaced += message["names"]
            case "end":
                self.ended = True


def examine(
    exercise: Exercise,
    file: Path,
    services: Services,
    *,
    limit: float = LIMIT,
    on_test: Callable[[str], None] = lambda name: None,
) -> Examination:
    """
    Try an exercise's tests on `file`, in its own process that is ended when a test takes over `limit` seconds.

    Whatever the code does is in the result and never raised. `on_test` is told each test before it is tried.
    """
    began = time.perf_counter()
    heard = _Heard()
    if not file.is_file():
        return Examination(exercise.name, Verdict.NOT_ATTEMPTED, file, text=f"there is no file {file}")
    untouched = is_untouched(exercise, file)
    with private_folder() as folder, isolated_services(services) as own:
        about = exercise.tests.resolve(), file.resolve(), replace(own, control=None), folder, limit
        with child_process(examine_here, *about, name=f"labkit exercise {exercise.name}") as (child, pipe):
            status = _listen(heard, child, pipe, limit, on_test)
        printed = _printed(folder)
    found = _judge(exercise, file, heard, status)
    if found.verdict is not Verdict.PASSED and (gone := _missing(services)):
        found = replace(found, verdict=Verdict.ENVIRONMENT, text=gone)
    elif found.verdict is Verdict.FAILED and untouched:
        found = replace(found, verdict=Verdict.NOT_ATTEMPTED)
    elif found.verdict is Verdict.PASSED and not file.is_file():
        found = replace(found, verdict=Verdict.FAILED, text=f"your code has deleted its own file, {file}")
    return replace(found, printed=printed, seconds=time.perf_counter() - began)


def advice_on(exercise: Exercise, found: Examination) -> list[WrongFix]:
    """Return the tempting fixes that are like this one and break the same promise."""
    failed = found.first_failed
    if failed is None or found.verdict is not Verdict.FAILED:
        return []
    # A slip of the pen is no fix: its own text says all that there is to say.
    is_slip = NAME_WANTED in failed.text or failed.text.rpartition("; got: ")[2].startswith(SLIPS)
    return [] if is_slip else exercise.advice(failed.test, found.file)


def _listen(
    heard: _Heard, child: BaseProcess, pipe: Connection, limit: float, on_test: Callable[[str], None]
) -> int | None:
    """Hear the examiner to its end; return the exit status of one that ended in the middle, None for a late one."""
    patience = START
    while not heard.ended:
        if not pipe.poll(patience):
            return child.exitcode  # of one whose own children keep the pipe open; None of one that still runs
        try:
            message = json.loads(pipe.recv_bytes(MESSAGE))
        except (EOFError, OSError, ValueError):
            child.join(GRACE)
            return child.exitcode
        heard.hear(message)
        patience = GRACE if message["what"] == "waiting" else limit + GRACE
        if message["what"] == "began":
            on_test(heard.running)
    return 0


def _judge(exercise: Exercise, file: Path, heard: _Heard, status: int | None) -> Examination:
    found = Examination(
        exercise.name,
        Verdict.FAILED,
        file,
        tuple(heard.tried),
        waiting=tuple(heard.waiting),
        replaced=tuple(heard.replaced),
    )
    if heard.unread:
        return replace(found, text=f"your file can't be imported: {heard.unread}")
    if heard.ended and heard.late:
        return replace(found, verdict=Verdict.TIMED_OUT, text=heard.late)
    if heard.replaced:
        return replace(
            found, text=f"your code has replaced {', '.join(heard.replaced)}: nothing is proved like that"
        )
    if heard.ended:
        return _judge_ended(found, heard)
    during = f"during “{heard.running}”" if heard.running else "while it was imported"
    if status is None:
        return replace(found, verdict=Verdict.TIMED_OUT, text=f"your code did not come to its end {during}")
    if not heard.tests:
        return replace(found, verdict=Verdict.ENVIRONMENT, text=f"the tests could not be loaded (status {status})")
    return replace(found, text=f"your code ended the whole process with status {status} {during}")


def _judge_ended(found: Examination, heard: _Heard) -> Examination:
    if [each.test for each in found.tried if each.passed] == heard.tests and heard.tests:
        return replace(found, verdict=Verdict.PASSED)
    if heard.not_here and all(each.passed or each.text == heard.not_here for each in found.tried):
        return replace(found, verdict=Verdict.ENVIRONMENT, text=heard.not_here)
    return found


def _printed(folder: Path) -> str:
    try:
        with (folder / "output.txt").open(encoding="utf-8", errors="replace") as file:
            text = file.read(PRINTED + 1)
    except OSError:
        return ""
    # What is printed is shown in a terminal: it must not steer it.
    text = "".join(each if each.isprintable() or each in "\n\t" else "�" for each in text).strip()
    return text if len(text) <= PRINTED else f"{text[:PRINTED]} …"


def _missing(services: Services) -> str:
    """Return which server does not answer any more, or nothing."""

    async def log_in() -> None:
        await database_version(services.database_url, timeout=LOGIN)
        await redis_version(services.redis_url, timeout=LOGIN)

    # In a thread: a notebook has its own loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(asyncio.run, log_in()).exception()
    if gone is not None and not isinstance(gone, Unreachable):
        raise gone
    return str(gone or "")
