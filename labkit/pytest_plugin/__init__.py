"""
The flight recorder as a pytest plugin: which test kept a connection, an engine or a Redis client.

    pytest --flight=report          what was found, at the end of the run, each with the test that caused it
    pytest --flight=strict          the test that leaked fails, and not the one in which it comes to light
    @pytest.mark.no_leaks           strict for one test, whatever the option says
    @pytest.mark.no_leaks(allow=["engine-not-disposed"])

A fixture of a wider scope answers for what it holds itself, at the end of the run: a connection in a session-scoped
fixture's hands, or idle in its pool, is no leak of a test. Without the option and the marker nothing is recorded,
and neither SQLAlchemy nor the recorder is imported.
"""

from __future__ import annotations

import os

import pytest

from labkit.pytest_plugin import marker, recording, reporter

__all__ = ["pytest_addoption", "pytest_collection_finish", "pytest_configure", "pytest_load_initial_conftests"]

_MODES = ("off", "report", "strict")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--flight`, and `flight` in the configuration file."""
    words = "Record who holds a connection, and name the test that leaks one: off, report or strict."
    parser.getgroup("labkit").addoption("--flight", choices=_MODES, default=None, help=words)
    parser.addini("flight", words, default="off")


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before a conftest makes its engines."""
    _begin_if_asked(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; be ready to show what is found, here or in another process."""
    _begin_if_asked(config)  # the plugin may have come with a conftest
    config.addinivalue_line("markers", marker.MARKER)
    config.pluginmanager.register(reporter.Reporter(_mode(config)), reporter.Reporter.name)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin for the sake of marked tests alone."""
    marks = [mark for item in session.items for mark in item.iter_markers("no_leaks")]
    for mark in marks:
        marker.check(mark)
    if marks and not session.config.option.collectonly:
        recording.Recording.begin(session.config, _mode(session.config))


def _begin_if_asked(config: pytest.Config) -> None:
    mode = _mode(config)
    if mode != "off" and not _leaves_the_tests_to_others(config):
        recording.Recording.begin(config, mode)


def _mode(config: pytest.Config) -> str:
    given = [getattr(options, "flight", None) for options in (config.known_args_namespace, config.option)]
    mode = given[0] or given[1] or config.getini("flight")
    if mode not in _MODES:
        raise pytest.UsageError(f"flight = {mode!r} in the configuration: choose one of {', '.join(_MODES)}.")
    return str(mode)


def _leaves_the_tests_to_others(config: pytest.Config) -> bool:
    """Return True if this process only hands out the tests (pytest-xdist)."""
    options = config.known_args_namespace
    spread = getattr(options, "numprocesses", None) or getattr(options, "tx", None)
    return bool(spread) and "PYTEST_XDIST_WORKER" not in os.environ
