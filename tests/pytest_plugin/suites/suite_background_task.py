"""A task that the first test has left behind takes a connection while the second one runs."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from suites.app import behaves, keeps, make_engine

FINDINGS = {"test_leaves_a_task": ["leaked-connection"]}


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bell():
    return asyncio.Event()


async def test_leaves_a_task(engine, bell):
    async def later():
        await bell.wait()
        await keeps(engine)

    bell.task = asyncio.create_task(later(), name="later")


async def test_rings(engine, bell):
    bell.set()
    await bell.task
    await behaves(engine)
