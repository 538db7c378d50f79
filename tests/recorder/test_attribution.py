"""A task works on the account of its beginner, whoever runs when it works."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from labkit.recorder import attribution


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """Keep accounts while a test runs."""
    attribution.begin()
    yield
    attribution.end()


async def asked() -> str | None:
    return attribution.owner_now()


async def test_a_task_stays_with_its_beginner() -> None:
    attribution.run("the first test")
    task = asyncio.create_task(asked())
    attribution.run("the second test")

    assert attribution.owner_of(task) == "the first test"
    assert await task == "the first test"


async def test_a_task_of_a_task_stays_with_the_same_beginner() -> None:
    async def begin_another() -> str | None:
        return await asyncio.create_task(asked())

    attribution.run("the first test")
    task = asyncio.create_task(begin_another())
    attribution.run("the second test")

    assert await task == "the first test"


def test_what_runs_outside_of_every_task_is_charged_to_whoever_runs_now() -> None:
    attribution.run("the first test")
    attribution.run("the second test")

    assert attribution.owner_now() == "the second test"


def test_a_runner_works_for_whoever_runs_now() -> None:
    with asyncio.Runner() as runner:
        attribution.run("the first test")
        assert runner.run(asked()) == "the first test"
        attribution.run("the second test")
        assert runner.run(asked()) == "the second test"


async def test_when_nobody_keeps_accounts_any_more_there_is_no_owner() -> None:
    attribution.run("a test")
    attribution.end()
    try:
        assert await asyncio.create_task(asked()) is None
    finally:
        attribution.begin()
