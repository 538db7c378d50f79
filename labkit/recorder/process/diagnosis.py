"""
A diagnosis: what is known of a program that ran under the recorder.

`to_json` returns one object:

    version      1; raised when a field changes its meaning or goes away
    command      what Python was given: the script or `-m` and the module, then the arguments
    status       the exit status of `labkit diagnose`
    exit_status  the program's own; 128 + n when signal n ended it
    signal       the name of that signal, or null
    stopped      null, "timeout" or "interrupted": why the program was stopped
    seconds      how long the program ran
    findings     those of every process; each has the fields of `labkit.recorder.Finding` and the `pid` of its
                 process, `where` is null or an object with `file`, `line` and `function`, and `consequences`
                 holds findings in the same form
    processes    the program's own first: `pid`, `ended` ("exit", "os._exit", "SIGTERM", or "asked" when it was
                 stopped), `argv`, `statistics` (counts since it began), `held` (connections that are out), `faults`
                 (of the recorder itself) and `waiting` (when it was stopped: each task and thread, with the user's
                 lines in `stack`)
    faults       of the recorder itself, in any process
    unheard      the numbers of processes that were recorded and left no record
    stacks       what Python wrote down for a program that was stopped and could not answer
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import PurePath
from typing import Any

from labkit.recorder.finding import Finding
from labkit.recorder.process.handoff import ProcessReport
from labkit.recorder.rules import find
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Place, Record
from labkit.recorder.task_dump import Waiting

__all__ = ["VERSION", "Diagnosis", "Process"]

VERSION = 1
INTERRUPTED = 130  # 128 + SIGINT, as a shell says it


class Process:
    """One recorded process, with its record and its findings."""

    def __init__(self, told: ProcessReport) -> None:
        self.pid = told.pid
        self.ended = told.how
        self.argv = told.argv
        self.waiting = told.waiting
        self.record = told.record or Record(pid=told.pid, program=told.argv[0] if told.argv else "")
        self.faults = [*told.faults, *self.record.faults]
        self.findings: list[Finding] = []  # given by its diagnosis

    @property
    def title(self) -> str:
        """Return how the process is called among several."""
        name = PurePath(self.argv[0]).name if self.argv else "python"
        return f"process {self.pid} ({name})"

    def plain(self) -> dict[str, Any]:
        """Return what JSON says of the process."""
        counts = self.record.counts
        return {
            "pid": self.pid,
            "ended": self.ended,
            "argv": self.argv,
            "statistics": {item.name: getattr(counts, item.name) for item in fields(counts)},
            "held": len(self.record.holders()),
            "faults": self.faults,
            "waiting": [_waiting(each) for each in self.waiting],
        }

    def plain_findings(self) -> list[dict[str, Any]]:
        """Return what JSON says of the findings."""
        return [_finding(each) | {"pid": self.pid} for each in self.findings]


@dataclass(slots=True)
class Diagnosis:
    """What is known of a program after its end."""

    command: list[str]
    returncode: int
    seconds: float
    processes: list[Process]
    stopped: str | None = None
    unheard: list[int] = field(default_factory=list)
    stacks: str = ""

    def __post_init__(self) -> None:
        # Together: what a forked child does to an engine explains what its parent sees of it.
        found = find(*(process.record for process in self.processes))
        for process in self.processes:
            process.findings = [finding for finding in found if finding.pid == process.pid]

    @property
    def findings(self) -> list[Finding]:
        """The findings of every process."""
        return [finding for process in self.processes for finding in process.findings]

    @property
    def exit_status(self) -> int:
        """The program's own exit status, as a shell says it."""
        return self.returncode if self.returncode >= 0 else 128 - self.returncode

    @property
    def status(self) -> int:
        """The exit status of the diagnosis: the program's own if it failed, else 1 with findings and 0 without."""
        if self.stopped:
            return 1 if self.stopped == "timeout" else INTERRUPTED
        return self.exit_status or int(bool(self.findings))

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended the program."""
        if self.returncode >= 0:
            return None
        try:
            return signal.Signals(-self.returncode).name
        except ValueError:
            return f"signal {-self.returncode}"

    def watched(self) -> list[Process]:
        """Return the processes that used an engine or a Redis client; without any, the program's own."""
        return [each for each in self.processes if each.record.pools or each.findings] or self.processes[:1]

    def remarks(self) -> Iterator[str]:
        """Return what a report says before the findings: how the program ended, and what is not known of it."""
        if self.stopped == "timeout":
            yield f"The program had not ended after {self.seconds:.1f} s and was stopped."
        elif self.stopped:
            yield f"The program did not end at the first Ctrl-C and was stopped after {self.seconds:.1f} s."
        elif self.signal:
            yield f"The program was ended by {self.signal}."
        elif self.exit_status:
            yield f"The program ended with exit status {self.exit_status}."
            if not any(each.record.pools for each in self.processes):
                yield (
                    f"It ran on {sys.executable}. If it lacks a package, install labkit where the program's "
                    "packages are; if it lacks a server, begin with `labkit services exec -- labkit diagnose`."
                )
        for each in self.processes:
            if each.ended == "SIGTERM":
                yield f"{each.title} was ended in the middle of its work: what it held then is not judged."
        for pid in self.unheard:
            yield (
                f"Process {pid} left no record: it still runs, it was killed, or it could not answer; "
                "what it did is not in this report."
            )
        if not self.processes and not self.unheard:
            yield "The program left no record: nothing is known of what it did."

    def where_it_was(self) -> Iterator[str]:
        """Return, for a program that was stopped, where each of its tasks and threads was then."""
        for process in self.processes:
            if process.waiting:
                yield f"{process.title} was here:" if len(self.processes) > 1 else "It was here:"
            for each in process.waiting:
                yield f"  {plain(each)}"
                yield from (f"      called from {plain(place, 200)}" for place in each.stack[1:])
        if self.stacks:
            yield "It did not answer, and its record is lost. Python wrote down where its threads were:"
            yield from (f"  {plain(line, 300)}" for line in self.stacks.splitlines())

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return all of it but the records, as the docstring of this module describes."""
        told = {
            "version": VERSION,
            "command": self.command,
            "status": self.status,
            "exit_status": self.exit_status,
            "signal": self.signal,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
            "findings": [finding for process in self.processes for finding in process.plain_findings()],
            "processes": [process.plain() for process in self.processes],
            "faults": [fault for process in self.processes for fault in process.faults],
            "unheard": self.unheard,
            "stacks": self.stacks,
        }
        return json.dumps(told, indent=indent)


def _finding(finding: Finding) -> dict[str, Any]:
    plain = {item.name: getattr(finding, item.name) for item in fields(finding)}
    consequences = [_finding(each) for each in finding.consequences]
    return plain | {"where": _place(finding.where), "consequences": consequences}


def _waiting(waiting: Waiting) -> dict[str, Any]:
    places = {"stack": [_place(place) for place in waiting.stack], "last": _place(waiting.last)}
    return waiting._asdict() | places


def _place(place: Place | None) -> dict[str, Any] | None:
    return place._asdict() if place else None
