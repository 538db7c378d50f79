"""The examiner: tries an exercise's tests on a learner's file, in its own process that may hang or die."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from labkit.course.guard import Guard
from labkit.course.promises import NotHere, TimedOut
from labkit.recorder.task_dump import waiting
from labkit.services import Services

__all__ = ["Submission", "examine_here", "find_tests", "load_module", "sentence"]

OUTPUT = 64 * 2**20  # bytes that the code may print, or write into a file
NAME_WANTED = " in your file"
TOLD = 2_000  # characters of an error
END = 10.0  # seconds to be ended

Test = Callable[..., None]
Tell = Callable[..., None]


class Submission:
    """A learner's module: a name that it does not have is a broken promise, and no error of the test's."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            own = sorted(each for each in vars(self._module) if not each.startswith("_"))
            raise AssertionError(f"expected: `{name}`{NAME_WANTED}; got: {', '.join(own) or 'nothing'}") from None


def examine_here(pipe: Connection, tests: Path, file: Path, services: Services, folder: Path, limit: float) -> None:
    """Try every test, and tell what came of each through the pipe; what the code prints goes to a file."""
    # No tracer looks on: one that keeps book of greenlets, as coverage does, can hang Python 3.11 for ever when one
    # of their threads ends.
    sys.settrace(None)
    threading.settrace(None)
    # Nothing is left beside the learner's file; and a file that is saved twice in one second is read twice.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # of processes that it starts, too
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # Anew: on Windows a stream that was a console's can't write to a file, and one of a file may have no “✓”.
    printed, _ = sys.stdout, sys.stderr = tuple(
        os.fdopen(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        for number in (1, 2)
    )
    os.chdir(folder)
    _limit_files()
    telling = threading.Lock()

    def tell(what: str, **about: Any) -> None:
        # As text: to unpickle what strange code has made would be to run it.
        message = json.dumps({"what": what} | about).encode()
        try:
            with telling:
                pipe.send_bytes(message)
        except OSError:  # the other end is closed
            os._exit(1)

    examiner = _Examiner(load_module(tests, "test_exercise"), tell, limit)
    tell("ready", tests=[name for name, _ in find_tests(examiner.tests)])
    if examiner.read(file):
        examiner.try_all(services)
    with suppress(Exception):
        printed.flush()  # before the end: this process may be killed as soon as it is told
    tell("end")
    if sys.platform == "win32":  # as long as this process is there, who ends it finds what the code has started
        time.sleep(END)
    # What is left of the code has no say in how this process ends.
    os._exit(0)


def _limit_files() -> None:
    # An endless loop that prints must not fill the disk. Windows has no such limit: there only its time ends it.
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))


def load_module(path: Path, name: str) -> ModuleType:
    """Import a file under a name, whatever folder it is in."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def find_tests(module: ModuleType) -> list[tuple[str, Test]]:
    """Return the tests of a module, in the order in which they are written."""
    return [(name, test) for name, test in vars(module).items() if name.startswith("test_") and callable(test)]


def sentence(test: str) -> str:
    """Return what a test says."""
    return test.removeprefix("test_").replace("_", " ")


class _Examiner:
    def __init__(self, tests: ModuleType, tell: Tell, limit: float) -> None:
        self.tests = tests
        self._tell = tell
        self._limit = limit
        self._guard = Guard(tests)
        self._submission: Submission | None = None

    def read(self, file: Path) -> bool:
        """Import the learner's file; return True if it could be."""
        self._tell("began", test="")
        # By its name, so that a process of a clause's own finds it again.
        sys.path.insert(0, str(file.parent))
        alarm = self._alarm()
        try:
            self._submission = Submission(importlib.import_module(file.stem))
        except BaseException as error:
            self._tell("unread", text=_told(error, file)[:TOLD])
            return False
        finally:
            alarm.cancel()
        self._tell_replaced()
        return True

    def try_all(self, services: Services) -> None:
        for name, test in find_tests(self.tests):
            self._tell("began", test=name)
            alarm = self._alarm()
            result, text = self._try(test, services)
            alarm.cancel()
            self._tell("tried", test=name, result=result, text=text[:TOLD])
            self._tell_replaced()

    def _try(self, test: Test, services: Services) -> tuple[str, str]:
        given = {"exercise": self._submission, "services": services}
        try:
            test(**{name: given[name] for name in inspect.signature(test).parameters})
        except TimedOut as error:
            return "timed out", _words(error)
        except NotHere as error:
            return "not here", _words(error)
        except AssertionError as error:
            return "failed", _words(error)
        except BaseException as error:
            return "failed", f"{type(error).__name__}: {_words(error)}"
        return "passed", ""

    def _tell_replaced(self) -> None:
        if names := self._guard.replaced():
            self._tell("replaced", names=names)

    def _alarm(self) -> threading.Timer:
        """Tell where everything waits, shortly before this process is ended for being late."""
        alarm = threading.Timer(self._limit, lambda: self._tell("waiting", lines=list(map(str, waiting()))))
        alarm.daemon = True
        alarm.start()
        return alarm


def _told(error: BaseException, file: Path) -> str:
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(file)]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{type(error).__name__}: {_words(error)}"


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as second:
        return f"it can't be said, for that raises {type(second).__name__}"
