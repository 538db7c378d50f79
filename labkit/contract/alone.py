"""Checking a clause: in this process, or alone in another if it forks, patches asyncio or may hang for ever."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from labkit.contract.clause import Clause
from labkit.contract.verdict import Result, Verdict, check_here
from labkit.engine import Engine
from labkit.process import check_importable, child_process
from labkit.recorder import Finding
from labkit.services import Services, providers_with

__all__ = ["add_findings", "check", "check_alone"]

START = 60.0  # seconds for a new interpreter to import labkit, on a busy machine
GRACE = 10.0  # seconds for a clause that was stopped to be judged
END = 1.0  # seconds for a thread that was told to end
GUARD = 'a script is run again there, and needs `if __name__ == "__main__":` around what it does'

# What recorders found in the children of this process: its own recorder can't see what they do.
_found: set[str] = set()


def add_findings(findings: Iterable[Finding]) -> None:
    """Add what a recorder has found in a forked child to the verdict on the clause that is being played."""
    _found.update(finding.code for finding in findings)


def check(clause: Clause, engine_class: type[Engine], services: Services) -> Verdict:
    """
    Play one clause, under the flight recorder, on its own loop that closes; return what came of it.

    Nothing that the engine does is raised. What these services can't do is not run, and says which provider can.
    """
    lacking = sorted(need for need in clause.needs if need not in services.capabilities)
    if lacking:
        able = [name for name in providers_with(lacking[0]) if all(name in providers_with(n) for n in lacking)]
        return Verdict(clause.name, Result.NOT_RUN, f"needs {', '.join(lacking)}: {', '.join(able)} can")
    if clause.alone:
        return check_alone(clause, engine_class, services)
    return check_here(clause, engine_class, services)


def check_alone(clause: Clause, engine_class: type[Engine], services: Services) -> Verdict:
    """
    Play any clause in a child process, which is killed when it does not end in time.

    Raises `InvalidInput` for a class that a child could not import.
    """
    if clause.topic == "fork" and not hasattr(os, "fork"):
        return Verdict(clause.name, Result.NOT_RUN, "needs fork, which this system does not have")
    # Servers are stopped and started from here only: their control stays.
    arguments = clause, engine_class, replace(services, control=None)
    check_importable(engine_class.__qualname__, *arguments)
    ready = False
    with child_process(_play, *arguments, name=f"labkit clause {clause.name}") as (child, pipe):
        try:
            # It answers twice: the time of the clause begins when its process is ready to play it.
            for seconds in (START, clause.limit + GRACE):
                if not pipe.poll(seconds):
                    return Verdict(clause.name, Result.TIMED_OUT, f"process {child.pid} did not answer")
                answer: Verdict = pipe.recv()
                ready = True
            return _with_end(answer, pipe, child) if clause.ends and answer.result is Result.KEPT else answer
        except EOFError:
            child.join()
            text = f"its process ended with status {child.exitcode}"
            return Verdict(clause.name, Result.FAILED, text if ready else f"{text} before it began: {GUARD}")


def _with_end(verdict: Verdict, pipe: Connection, child: BaseProcess) -> Verdict:
    """Wait for the end of the process, too: what can't end has broken the promise."""
    # It says whom it has to wait for: how long an interpreter takes to end proves nothing on a busy machine.
    left = pipe.recv() if pipe.poll(START) else ["main"]
    if left:
        text = f"expected: the process ends; got: it goes on, in the thread {left[0]}"
        return replace(verdict, result=Result.BROKEN, text=text)
    child.join(START)
    return verdict


def _play(pipe: Connection, clause: Clause, engine_class: type[Engine], services: Services) -> None:
    pipe.send(None)
    verdict = check_here(clause, engine_class, services)
    pipe.send(replace(verdict, findings=tuple(sorted({*verdict.findings, *_found}))))
    if clause.ends:
        pipe.send(_threads_left())
    pipe.close()


def _threads_left() -> list[str]:
    """Return the names of the threads for which Python would wait before this process ends."""
    main, late = threading.main_thread(), time.monotonic() + END
    others = [each for each in threading.enumerate() if each is not main and not each.daemon]
    for each in others:
        each.join(max(0.0, late - time.monotonic()))
    return [each.name for each in others if each.is_alive()]
