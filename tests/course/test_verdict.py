"""What a cell has written is judged by what it declares."""

from __future__ import annotations

import pytest

from labkit.course.verdict import Fault, judge_output

LEAK = "cell ok\n/tmp/x.py:3: RuntimeWarning: coroutine 'f' was never awaited\n  f()\n"


def test_a_silent_failure_is_wrong() -> None:
    assert judge_output(LEAK, ()) == [
        "silent failure: /tmp/x.py:3: RuntimeWarning: coroutine 'f' was never awaited"
    ]


@pytest.mark.parametrize("output", ["", "cell ok\n", "/tmp/x.py:3: DeprecationWarning: old\n  old()\n"])
def test_what_is_only_said_is_not(output: str) -> None:
    assert judge_output(output, ()) == []


def test_what_is_declared_is_right() -> None:
    assert judge_output(LEAK, ["never awaited"]) == []


def test_what_is_declared_must_occur() -> None:
    assert judge_output("cell ok\n", ["never awaited"]) == [
        "declares the silent failure 'never awaited', which did not occur"
    ]


def test_one_declared_failure_excuses_no_other() -> None:
    [wrong] = judge_output(f"{LEAK}Task was destroyed but it is pending!\n", ["never awaited"])

    assert wrong == "silent failure: Task was destroyed but it is pending!"


def test_a_fault_names_its_cell() -> None:
    assert str(Fault(3, "f()", "did not end")) == "cell 3 (f()): did not end"
    assert str(Fault(0, "the kernel", "died")) == "the kernel: died"
