"""
The recorder in an application that runs: asked for by its environment, without a change to its code.

    LABKIT_FLIGHT          1 or pool: record; statements: time each statement too; 0, off or nothing: do nothing
    LABKIT_FLIGHT_FILE     findings go to this file, one line of JSON for each process, and not to stderr
    LABKIT_FLIGHT_SIGNAL   the signal at which a process says on stderr who holds what: USR1, USR2, …, or off

USR1 is the signal when none is named. Windows has no such signal: there it is off, and BREAK are the keys
Ctrl-Break. `pip install` puts a `labkit_flight.pth` beside labkit, by which each Python of the environment imports
this module when LABKIT_FLIGHT is set. Where labkit was not installed by pip, `import labkit.recorder.environment`
as the application's first line does the same. The processes that the application starts inherit the variables and
record themselves.

Recording begins when the application first imports SQLAlchemy or redis. What is wrong is reported when the
process ends, also by SIGTERM where it has no handler of its own; a process that used no engine and no client says
nothing. An application that handles the signal itself keeps it, and is then not asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, cast

from labkit.recorder.bootstrap import purge_shadowed_modules
from labkit.recorder.exit_hooks import End
from labkit.recorder.process.agent import Agent

if TYPE_CHECKING:
    from labkit.recorder.flight import FlightRecorder, Level

__all__ = ["start"]

_LEVELS = {"1": "pool", "pool": "pool", "statements": "statements"}
_OFF = ("", "0", "off")

_agent: Agent | None = None


def start(level: Level = "pool") -> None:
    """
    Record this process from now on, whatever LABKIT_FLIGHT says; the other variables are heeded.

    Starting what is started does nothing.
    """
    global _agent
    if _agent is None:
        stderr = _Stderr()
        _agent = stderr.agent = Agent(level, stderr)


class _Stderr:
    """Report on stderr, or in the file of LABKIT_FLIGHT_FILE."""

    agent: Agent

    def __init__(self) -> None:
        self._listen(os.environ.get("LABKIT_FLIGHT_SIGNAL", "USR1" if hasattr(signal, "SIGUSR1") else "off"))

    def began(self, fault: str) -> None:
        """Say it only if recording could not begin."""
        if fault:
            _say(f"this process is not recorded ({fault}).")

    def _listen(self, name: str) -> None:
        if name.lower() in _OFF:
            return
        number = getattr(signal, f"SIG{name.upper().removeprefix('SIG')}", None)
        if not isinstance(number, signal.Signals):
            others = "USR1, USR2" if hasattr(signal, "SIGUSR1") else "BREAK"
            _say(f'LABKIT_FLIGHT_SIGNAL is "{name}", which is no signal here; choose {others} or off.')
            return
        with contextlib.suppress(ValueError, OSError):  # not the main thread; not a signal that can be handled
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, self._asked)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        try:
            from labkit.recorder.report.summary import held, watched

            if self.agent.flight is None:
                _say(f"process {os.getpid()} has not used SQLAlchemy or redis yet.")
                return
            record = self.agent.flight.record()
            lines = held(record) or ["no connection is out"]
            _say(f"process {os.getpid()}, {watched(record)}", *lines)
        except Exception as error:
            _say(f"process {os.getpid()} can't say who holds what ({type(error).__name__}); ask again.")

    def ended(self, flight: FlightRecorder | None, end: End) -> None:
        """Report what is wrong, if this process has used an engine or a client."""
        if flight is not None and flight.record().pools:
            _report(flight, end)


def _report(flight: FlightRecorder, end: End) -> None:
    from labkit.recorder.process.diagnosis import VERSION, Process
    from labkit.recorder.process.handoff import ProcessReport
    from labkit.recorder.report import report_text

    process = Process(ProcessReport(os.getpid(), end, sys.argv, record=flight.record()))
    process.findings = flight.findings()
    file = os.environ.get("LABKIT_FLIGHT_FILE")
    if file:
        try:
            told = {"version": VERSION, **process.plain(), "findings": process.plain_findings()}
            with open(file, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(told) + "\n")
            return
        except OSError as error:
            _say(f"LABKIT_FLIGHT_FILE: {file} can't be written ({error.strerror}).")
    _say(f"{process.title}: {report_text(process.record, process.findings).rstrip()}")


def _say(first: str, *more: str) -> None:
    """Write to stderr itself: the handler of a signal must not wait for a stream that it has interrupted."""
    lines = [f"labkit: {first}", *(f"  {line}" for line in more)]
    with contextlib.suppress(OSError):
        os.write(2, "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def _from_environment() -> None:
    value = os.environ.get("LABKIT_FLIGHT", "").strip().lower()
    if value in _LEVELS:
        start(cast("Level", _LEVELS[value]))
        if not hasattr(sys.modules["__main__"], "__file__"):  # the program has not begun
            purge_shadowed_modules()
    elif value not in _OFF:
        _say(f'LABKIT_FLIGHT is "{value}"; choose 1, pool, statements or off. Nothing is recorded.')


_from_environment()
