"""Two processes run the tests."""

from __future__ import annotations

import pytest
import pytest_asyncio
from suites.app import behaves, forgets, make_engine

FINDINGS = {
    "test_forgets": ["leaked-connection"],
    "test_does_not_dispose": ["engine-not-disposed"],
    "session fixture wide of suite_xdist.py": ["engine-not-disposed"],
}
OPTIONS = ["-n", "2"]


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wide():
    return make_engine()


@pytest.mark.parametrize("_", range(4))
async def test_behaves(engine, _):
    await behaves(engine)


async def test_forgets(engine):
    await forgets(engine)


async def test_does_not_dispose():
    await behaves(make_engine())


@pytest.mark.asyncio(loop_scope="session")
async def test_wide(wide):
    await behaves(wide)
