"""The verdict: whether an engine kept a promise, and all that was seen on the way."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass

from labkit.contract.clause import Clause
from labkit.engine import Engine
from labkit.recorder import FlightRecorder
from labkit.scene import Kind, Outcome, private_loop
from labkit.services import Services

__all__ = ["Result", "Verdict", "check_here"]


class Result(enum.StrEnum):
    """What came of a clause."""

    KEPT = "kept"
    BROKEN = "broken"
    FAILED = "failed"  # by another error than a broken promise: nothing is proved
    TIMED_OUT = "timed out"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Verdict:
    """
    What came of one clause on one engine class.

    `text` says why, `seen` are the texts that a person would have seen, `findings` the recorder's codes.
    """

    clause: str
    result: Result
    text: str = ""
    seen: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    seconds: float = 0.0


def check_here(clause: Clause, engine_class: type[Engine], services: Services) -> Verdict:
    """Play a clause in this process, under the flight recorder, on its own loop that closes."""
    began = time.perf_counter()
    with FlightRecorder() as flight:
        outcome = private_loop(clause.play, engine_class, services, timeout=clause.limit)
    result, text = _judge(clause, outcome)
    codes = tuple(sorted({finding.code for finding in flight.findings()}))
    return Verdict(clause.name, result, text, _seen(outcome), codes, time.perf_counter() - began)


def _judge(clause: Clause, outcome: Outcome) -> tuple[Result, str]:
    if outcome.timed_out:
        return Result.TIMED_OUT, f"no end within {clause.limit:g} s; {'; '.join(outcome.waiting)}"
    if isinstance(outcome.exception, AssertionError):
        return Result.BROKEN, str(outcome.exception)
    if outcome.exception is not None:
        return Result.FAILED, f"{type(outcome.exception).__name__}: {outcome.exception}"
    if clause.listens and outcome.silent_failures:
        return Result.BROKEN, f"expected: nothing fails in silence; got: {outcome.silent_failures[0].headline}"
    return Result.KEPT, ""


def _seen(outcome: Outcome) -> tuple[str, ...]:
    told = [each for each in outcome.happenings if each.kind is not Kind.LOOP_CLOSED]
    return tuple(each.headline for each in told)
