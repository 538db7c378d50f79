"""Recording: the tests of one process under the flight recorder, each judged at its own end."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from labkit.pytest_plugin.marker import allowed
from labkit.pytest_plugin.reporter import PROPERTY, Reporter, Told

if TYPE_CHECKING:
    from labkit.recorder.by_owner import OwnerFindings
    from labkit.recorder.finding import Finding

__all__ = ["Recording"]

# What pytest makes of setUpClass, setup_module and their like.
_GENERATED = re.compile(r"_(?:unittest|xunit)_(\w+?)_fixture_.*")


class Recording:
    """
    Records the tests of this process, and charges each finding to the test or the fixture that began it.

    A test is judged after the end of its own fixtures, and before that of its class's, its module's, its session's.
    """

    name = "labkit-recording"

    def __init__(self, config: pytest.Config, mode: str) -> None:
        from labkit.recorder import FlightRecorder, attribution
        from labkit.recorder.by_owner import FindingsByOwner

        self._config = config
        self._mode = mode
        self._owners = attribution
        self._flight = FlightRecorder()
        self._accounts = FindingsByOwner(self._flight)
        self._unjudged: set[str] = set()  # tests that run, and whose judgement is not yet arranged
        self._interrupted: list[str | None] = []  # who was running when the end of a fixture began

    @classmethod
    def begin(cls, config: pytest.Config, mode: str) -> None:
        """Record from now until pytest ends, unless that has begun."""
        if not config.pluginmanager.has_plugin(cls.name):
            recording = cls(config, mode)
            config.pluginmanager.register(recording, cls.name)
            config.add_cleanup(recording.end)
            recording._owners.begin()
            recording._flight.start()

    def end(self) -> None:
        """Record no more."""
        self._flight.stop()
        self._owners.end()

    # Who is running.

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run a test on its own account."""
        self._unjudged.add(item.nodeid)
        self._owners.run(item.nodeid)
        try:
            result = yield
        finally:
            self._owners.run(None)
        self._judge_again(item)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        """Run a fixture of one test on that test's account, another on its own."""
        if fixturedef.scope == "function":
            self._arrange_judgement(request.node)
            return (yield)
        owner = _fixture(fixturedef, request.node.nodeid)
        self._accounts.lasting.add(owner)
        request.addfinalizer(lambda: self._owners.run(self._interrupted.pop()))  # the last one to run
        before = self._owners.run(owner)
        try:
            return (yield)
        finally:
            self._owners.run(before)
            request.addfinalizer(lambda: self._interrupted.append(self._owners.run(owner)))  # the first

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Have a test judged that has no fixture."""
        self._arrange_judgement(item)
        return (yield)

    # Judging.

    def _arrange_judgement(self, item: pytest.Item) -> None:
        if item.nodeid in self._unjudged:
            self._unjudged.discard(item.nodeid)
            item.addfinalizer(partial(self._judge, item))  # the first that it gets, and so the last to run

    def _judge(self, item: pytest.Item) -> None:
        self._owners.run(None)
        if self._accounts.has_open(item.nodeid):
            gc.collect()
        failure = self._tell(item, self._accounts.close(item.nodeid, "the test"))
        if failure:
            pytest.fail(failure, pytrace=False)

    def _judge_again(self, item: pytest.Item) -> None:
        """Look for engines that the test's own objects kept: those objects go after its report."""
        if self._is_strict(item) and self._accounts.has_idle(item.nodeid):
            gc.collect()
            failure = self._tell(item, self._accounts.close(item.nodeid, "the test"))
            if failure:
                item.ihook.pytest_runtest_logreport(report=_error(item, failure))

    def _tell(self, item: pytest.Item, account: OwnerFindings | None) -> str:
        """Return what a test fails for; what it need not fail for goes into its report."""
        fatal = []
        for finding, words, leak in _told(account):
            if finding.code in allowed(item):
                continue
            if leak and self._is_strict(item):
                fatal.append(words)
            elif self._mode != "off":
                item.user_properties.append((PROPERTY, words))
        return "\n\n".join(fatal)

    def _is_strict(self, item: pytest.Item) -> bool:
        return self._mode == "strict" or item.get_closest_marker("no_leaks") is not None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell what is left, now that every fixture has ended: theirs, and what came to light after its test."""
        gc.collect()
        self._flight.finish()
        rest = self._accounts.rest() if self._mode != "off" else []
        told = [Told(account.owner or "", words, leak) for account in rest for _, words, leak in _told(account)]
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[PROPERTY] = [tuple(each) for each in told]
        else:
            reporter: Any = self._config.pluginmanager.get_plugin(Reporter.name)
            reporter.take(told)
            reporter.settle(session)


def _fixture(fixturedef: Any, node: str) -> str:
    """Say a fixture: in which part of the tests it lives, or, when it lives in all of them, where it is defined."""
    generated = _GENERATED.fullmatch(fixturedef.argname)
    of = node or fixturedef.baseid
    name = generated[1] if generated else fixturedef.argname
    return f"{fixturedef.scope} fixture {name}" + (f" of {of}" if of else "")


def _told(account: OwnerFindings | None) -> Iterator[tuple[Finding, str, bool]]:
    """Return each finding with its words, and whether it is a leak."""
    if account is not None:
        from labkit.recorder.by_owner import is_leak
        from labkit.recorder.report.text_report import block

        for finding in account.findings:
            yield finding, block(account.record, finding), is_leak(finding)


def _error(item: pytest.Item, text: str) -> pytest.TestReport:
    keywords: dict[str, Any] = dict.fromkeys(item.keywords, 1)
    return pytest.TestReport(item.nodeid, item.location, keywords, "failed", text, "teardown")
