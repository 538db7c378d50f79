"""The collector finds the first test's connection while the second one runs."""

from __future__ import annotations

import gc

import pytest
import pytest_asyncio
from suites.app import behaves, keeps, kept, make_engine

FINDINGS = {"test_keeps": ["leaked-connection"]}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest.mark.asyncio(loop_scope="session")
async def test_keeps(engine):
    await keeps(engine)


@pytest.mark.asyncio(loop_scope="session")
async def test_collects(engine):
    kept.clear()
    gc.collect()
    await behaves(engine)
