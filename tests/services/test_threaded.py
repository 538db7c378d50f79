"""Services for code that is not async."""

from __future__ import annotations

import asyncio
import threading

import pytest

from labkit.errors import InvalidSetting
from labkit.services import services_in_lanes, services_in_thread
from labkit.services.login import database_version

pytestmark = [pytest.mark.providers("sqlite", "embedded")]


@pytest.mark.learner_path
def test_many_loops_use_what_one_thread_holds(provider: str) -> None:
    with services_in_thread(provider) as services:
        found = [asyncio.run(database_version(services.database_url, timeout=5)) for _ in range(2)]

    assert found[0] == found[1]


def test_the_thread_is_gone_afterwards(provider: str) -> None:
    before = set(threading.enumerate())
    with services_in_thread(provider):
        assert set(threading.enumerate()) > before

    assert set(threading.enumerate()) == before


def test_an_error_in_the_block_comes_out_after_the_thread_has_ended(provider: str) -> None:
    before = set(threading.enumerate())
    with pytest.raises(KeyError, match="meant"), services_in_thread(provider):
        raise KeyError("meant")

    assert set(threading.enumerate()) == before


def test_a_start_that_fails_raises_in_the_caller() -> None:
    before = set(threading.enumerate())
    with pytest.raises(InvalidSetting, match="no provider 'none'"), services_in_thread("none"):
        pass

    assert set(threading.enumerate()) == before


def test_a_start_without_a_loop_raises_in_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    monkeypatch.setattr(asyncio.events, "new_event_loop", refuse)
    with pytest.raises(OSError, match="Too many open files"), services_in_thread("sqlite"):
        pass


def test_there_are_as_many_lanes_as_users_can_be_isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    with services_in_lanes(2, "embedded") as lanes:
        assert [each.provider for each in lanes] == ["embedded", "embedded"]
    with services_in_thread("embedded") as running:
        monkeypatch.setenv("LABKIT_DATABASE_URL", running.database_url)
        monkeypatch.setenv("LABKIT_REDIS_URL", running.redis_url)
        with services_in_lanes(2, "url") as lanes:
            assert [each.provider for each in lanes] == ["url"]
