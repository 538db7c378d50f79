"""What fails without any caller being told is told apart from what is only said."""

from __future__ import annotations

import re

import pytest

from labkit.scene import SILENT_FAILURES, is_silent_failure, silent_failures
from labkit.scene.gate import hide_failures


@pytest.mark.parametrize(
    "line",
    [
        "Exception ignored in: <function Connection.__del__ at 0x7f>",
        "Exception ignored while calling deallocator <function Connection.__del__ at 0x7f>:",
        "Exception in thread Thread-1 (work):",
        "Exception in callback call_later(1) at loop.py:3",
        "Task exception was never retrieved",
        "Future exception was never retrieved",
        "RuntimeWarning: coroutine 'save' was never awaited",
        "Task was destroyed but it is pending!",
        "Exception terminating connection <AdaptedConnection>",
        "The garbage collector is trying to clean up non-checked-in connection <…>, which will be terminated.",
        "ResourceWarning: unclosed transport <_SelectorSocketTransport fd=7>",
        "ResourceWarning: Unclosed connection <aiomysql.connection.Connection object>",
        "ResourceWarning: <Connection(Thread-1, started)> was deleted before being closed.",
        "warnings are ignored: what fails in silence could not be heard",
    ],
)
def test_a_silent_failure_is_seen(line: str) -> None:
    assert is_silent_failure(line)


@pytest.mark.parametrize(
    "line",
    [
        "DeprecationWarning: use the other one",
        "Traceback (most recent call last):",
        "sqlalchemy.exc.IntegrityError: Duplicate entry",
        "Connection <AdaptedConnection> being returned to pool",
        "Pool disposed. Pool size: 5",
        "",
    ],
)
def test_what_is_only_said_costs_nothing(line: str) -> None:
    assert not is_silent_failure(line)


def test_the_lines_that_tell_are_found_in_a_long_output() -> None:
    output = (
        "cell ok\n  Task was destroyed but it is pending!\ntask: <Task pending>\ncoroutine 'f' was never awaited\n"
    )

    assert silent_failures(output) == [
        "Task was destroyed but it is pending!",
        "coroutine 'f' was never awaited",
    ]


def test_each_pattern_finds_itself() -> None:
    assert all(is_silent_failure(f"… {pattern} …") for pattern in SILENT_FAILURES)


IGNORE_ALL = ("ignore", None, Warning, None, 0)
IGNORE_UNCLOSED = ("ignore", re.compile("unclosed", re.IGNORECASE), ResourceWarning, None, 0)
IGNORE_IN_ONE_MODULE = ("ignore", None, RuntimeWarning, re.compile("engine"), 0)
IGNORE_OLD = ("ignore", None, DeprecationWarning, None, 0)
IGNORE_OTHER_TEXT = ("ignore", re.compile("numpy"), Warning, None, 0)
SHOW_ALL = ("default", None, Warning, None, 0)


@pytest.mark.parametrize("rule", [IGNORE_ALL, IGNORE_UNCLOSED, IGNORE_IN_ONE_MODULE])
def test_a_filter_that_ignores_a_silent_failure_hides_it(rule: tuple[object, ...]) -> None:
    assert hide_failures([IGNORE_OLD, rule, SHOW_ALL])


@pytest.mark.parametrize(
    "rules",
    [[], [IGNORE_OLD], [IGNORE_OTHER_TEXT], [SHOW_ALL, IGNORE_ALL]],
    ids=["none", "another class", "another text", "one that comes too late"],
)
def test_other_filters_hide_nothing(rules: list[tuple[object, ...]]) -> None:
    assert not hide_failures(rules)
