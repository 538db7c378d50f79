"""
In every small suite the test that leaks is named, and no other.

Here they run together, which is harder than alone; `python tests/pytest_plugin/cases.py` runs each by itself.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .cases import SUITES, constant, expected, found, run, run_suite

pytestmark = pytest.mark.push
TOGETHER = [suite for suite in SUITES if not constant(suite, "OPTIONS", [])]
ALONE = [suite for suite in SUITES if suite not in TOGETHER]


def named(suite: Path) -> dict[str, list[str]]:
    """What a suite expects, with every owner named as in a run of many suites."""
    return {
        name if " fixture " in name else f"{suite.name}::{name}": codes for name, codes in expected(suite).items()
    }


@pytest.fixture(scope="module")
def report() -> dict[str, list[str]]:
    """Give what one run of many suites reports."""
    return found(run("--flight=report", "-W", "ignore", *(suite.name for suite in TOGETHER)).stdout)


@pytest.mark.parametrize("suite", TOGETHER, ids=lambda suite: suite.stem)
def test_the_test_that_leaks_is_named(suite: Path, report: dict[str, list[str]]) -> None:
    assert {owner: codes for owner, codes in report.items() if suite.name in owner} == named(suite)


@pytest.mark.parametrize("suite", ALONE, ids=lambda suite: suite.stem)
def test_the_test_that_leaks_is_named_under_other_plugins(suite: Path) -> None:
    result = run_suite(suite, "report")

    assert found(result.stdout, suite) == expected(suite), result.stdout


def test_there_are_twenty_suites_and_more() -> None:
    assert len(SUITES) >= 20


def test_in_a_strict_run_the_tests_that_leak_fail_and_no_others() -> None:
    result = run("--flight=strict", "-W", "ignore", *(suite.name for suite in TOGETHER), COLUMNS="200")

    failed = set(re.findall(r"^ERROR (.+?) - (?:Failed: )?[a-z-]+ at ", result.stdout, re.MULTILINE))
    belated = {"suite_background_task.py::test_leaves_a_task"}  # it holds nothing yet when it ends
    leaking = {owner for suite in TOGETHER for owner in named(suite)}
    fixtures = {owner for owner in leaking if " fixture " in owner}
    assert failed == leaking - belated - fixtures, result.stdout
    assert set(found(result.stdout)) == belated | fixtures, result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
