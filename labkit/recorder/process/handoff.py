"""
The handoff: a private folder by which recorded processes tell the process that started the program.

Each process has up to three files: `begun` (empty: recording has begun), `asked` (what it knew when it was asked),
and `ended`. A file with content is one line of JSON, `ProcessReport`, and a record as `json_format` writes it.
`first` holds the number of the program itself, and `ask` asks every process where there is no signal to ask with.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from labkit.recorder import json_format
from labkit.recorder.snapshot import Place, Record
from labkit.recorder.task_dump import Waiting

__all__ = ["ASK", "VARIABLE", "Handoff", "ProcessReport", "first", "read", "written"]

START = Path(__file__).parent.parent / "start"  # Python executes the `sitecustomize` that it finds in here
FIRST, ASKED = "first", "ask"
VARIABLE = "LABKIT_FLIGHT_SPOOL"  # three lines: level, prefix of Python, folder

# The signal that asks a process what it knows: an unused one, or, on macOS, one that is ignored otherwise.
# Windows has none.
ASK: int | None = int(signal.SIGRTMIN) + 11 if hasattr(signal, "SIGRTMIN") else getattr(signal, "SIGINFO", None)


# When each process was first named here: a number comes again, after `os.exec` or by chance.
_began: dict[int, int] = {}


@dataclass(slots=True)
class ProcessReport:
    """What a process said of itself. `how` is one of `labkit.recorder.exit_hooks.End`, or "asked"."""

    pid: int
    how: str
    argv: list[str]
    faults: list[str] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Handoff:
    """The folder, as the process that writes in it sees it."""

    level: str
    folder: Path

    @classmethod
    def from_environment(cls) -> Self:
        """Return the folder that this process was started with."""
        level, _, folder = os.environ[VARIABLE].split("\n", 2)
        return cls(level, Path(folder))

    def environment(self) -> dict[str, str]:
        """Return what a process must find in its environment to write here, and to be recorded from its start."""
        path = os.pathsep.join(filter(None, [str(START), os.environ.get("PYTHONPATH")]))
        value = "\n".join([self.level, sys.prefix, str(self.folder)])
        return {VARIABLE: value, "PYTHONPATH": path}

    def first(self) -> int:
        """Return the number of the program's own process, the first that asks; its starter need not know it."""
        # In a virtual environment on Windows, `python.exe` only starts the Python that runs the program.
        with contextlib.suppress(FileExistsError), (self.folder / FIRST).open("x", encoding="utf-8") as file:
            file.write(str(os.getpid()))
        return first(self.folder)

    def is_asked(self) -> bool:
        """Return True if the processes are asked what they know."""
        return (self.folder / ASKED).exists()

    def ask(self) -> None:
        """Ask every process what it knows, where there is no signal to ask with."""
        (self.folder / ASKED).touch()

    def announce(self) -> None:
        """Say that this process is recorded."""
        with contextlib.suppress(OSError):
            self._file("begun").touch()

    def write(self, told: ProcessReport, record: str) -> None:
        """Hand over what this process knows, if the folder is still there."""
        target = self._file("asked" if told.how == "asked" else "ended")
        with contextlib.suppress(OSError):
            new = target.with_suffix(".new")
            new.write_text(f"{json.dumps(asdict(told))}\n{record}", encoding="utf-8", errors="surrogatepass")
            new.replace(target)

    def _file(self, kind: str) -> Path:
        pid = os.getpid()
        return self.folder / f"{pid}-{_began.setdefault(pid, time.time_ns())}.{kind}"


def first(folder: Path) -> int:
    """Return the number of the program's own process; 0 if it has not begun."""
    try:
        return int((folder / FIRST).read_text("utf-8"))
    except (OSError, ValueError):
        return 0


def written(folder: Path, kind: str) -> list[int]:
    """Return the numbers of the processes that have written such a file, in the order in which they began."""
    return [int(path.name.partition("-")[0]) for path in sorted(folder.glob(f"*.{kind}"), key=_when)]


def read(folder: Path, kind: str) -> list[ProcessReport]:
    """Return what every process has told, "asked" or "ended", in the order in which they began."""
    return [_read(path) for path in sorted(folder.glob(f"*.{kind}"), key=_when)]


def _when(path: Path) -> int:
    return int(path.stem.partition("-")[2])


def _read(path: Path) -> ProcessReport:
    line, _, record = path.read_text(encoding="utf-8", errors="surrogatepass").partition("\n")
    told = ProcessReport(**json.loads(line))
    told.waiting = [_waiting(*each) for each in told.waiting]
    told.record = json_format.load(record) if record else None
    return told


def _waiting(who: str, runs: str, loop: int | None, stack: Any, last: Any, holds: list[int]) -> Waiting:
    places = [Place(*place) for place in stack]
    return Waiting(who, runs, loop, places, Place(*last) if last else None, holds)
