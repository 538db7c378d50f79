"""The verdict on a notebook or an exercise: how it ended; for a notebook, what was wrong in which cell."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from labkit.scene import silent_failures

__all__ = ["Fault", "NotebookRun", "Verdict", "judge_output"]


class Verdict(enum.StrEnum):
    """How a notebook or an exercise ended; these are different things, and call for different acts."""

    PASSED = "passed"
    FAILED = "failed"
    ENVIRONMENT = "environment problem"
    TIMED_OUT = "timed out"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True)
class Fault:
    """What was wrong in one cell; `cell` counts code cells from 1, as JupyterLab does, 0 is none of them."""

    cell: int
    line: str
    text: str

    def __str__(self) -> str:
        place = f"cell {self.cell} ({self.line})" if self.cell else self.line
        return f"{place}: {self.text}"


@dataclass(frozen=True)
class NotebookRun:
    """What came of running one notebook; `cells` of `of` code cells were run."""

    notebook: str
    verdict: Verdict
    cells: int
    of: int
    seconds: float
    faults: tuple[Fault, ...] = ()


def judge_output(output: str, declared: Iterable[str]) -> list[str]:
    """
    Return what is wrong with the output of a cell.

    A silent failure is wrong unless the cell declares a part of its line, and then that part must be there.
    """
    expected = list(declared)
    wrong = [
        f"silent failure: {line}"
        for line in silent_failures(output)
        if not any(words in line for words in expected)
    ]
    return wrong + [
        f"declares the silent failure {words!r}, which did not occur" for words in expected if words not in output
    ]
