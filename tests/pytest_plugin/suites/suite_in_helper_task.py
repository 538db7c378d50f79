"""A task that the test awaits leaves its connection behind."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from suites.app import behaves, keeps, make_engine

FINDINGS = {"test_with_helper": ["leaked-connection"]}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest.mark.asyncio(loop_scope="session")
async def test_with_helper(engine):
    await asyncio.create_task(keeps(engine), name="helper")


@pytest.mark.asyncio(loop_scope="session")
async def test_behaves(engine):
    await asyncio.create_task(behaves(engine), name="helper")
