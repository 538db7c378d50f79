"""The reporter: the findings of every process that ran tests, at the end of the run."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent
from typing import Any, NamedTuple

import pytest

__all__ = ["PROPERTY", "Reporter", "Told"]

PROPERTY = "flight"  # of a test's report, and so in JUnit's XML


class Told(NamedTuple):
    """One finding in words, and whose it is."""

    owner: str
    block: str
    leak: bool = False


class Reporter:
    """Gathers findings and shows them. In strict mode a leak that no test failed for fails the run."""

    name = "labkit-reporter"

    def __init__(self, mode: str) -> None:
        self.told: list[Told] = []
        self._strict = mode == "strict"
        self._leaked = False

    def take(self, rest: Iterable[tuple[str, str, bool]]) -> None:
        """Take what a process has found that is in no test's report."""
        for each in map(Told._make, rest):
            self.told.append(each)
            self._leaked = self._leaked or each.leak

    def settle(self, session: pytest.Session) -> None:
        """Decide on the exit status."""
        if self._strict and self._leaked and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test has found."""
        if report.when == "teardown":
            blocks = [str(value) for name, value in report.user_properties if name == PROPERTY]
            self.told += [Told(report.nodeid, block) for block in blocks]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take the rest from another process that ends."""
        self.take(getattr(node, "workeroutput", {}).get(PROPERTY, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Decide on the exit status, where other processes ran the tests."""
        self.settle(session)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show every finding under the test or the fixture that caused it."""
        if self.told:
            terminalreporter.section("flight recorder")
        for owner in dict.fromkeys(each.owner for each in self.told):
            terminalreporter.write_line(owner or "outside every test and fixture", bold=True)
            for each in self.told:
                if each.owner == owner:
                    terminalreporter.write_line(indent(each.block, "  "))
