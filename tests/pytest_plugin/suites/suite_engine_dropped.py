"""A fixture makes an engine for one test in a loop of many, and never disposes of it."""

from __future__ import annotations

import pytest
import pytest_asyncio
from suites.app import behaves, make_engine

FINDINGS = {"test_with_engine": ["engine-not-disposed"]}


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def engine():
    return make_engine()


@pytest_asyncio.fixture(loop_scope="session")
async def good_engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


async def test_with_good_engine(good_engine):
    await behaves(good_engine)


async def test_with_engine(engine):
    await behaves(engine)


async def test_with_good_engine_again(good_engine):
    await behaves(good_engine)
