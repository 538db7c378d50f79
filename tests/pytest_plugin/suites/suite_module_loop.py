"""The tests of a module share one loop and one engine; one test keeps a connection."""

from __future__ import annotations

import pytest
import pytest_asyncio
from suites.app import behaves, keeps, make_engine

FINDINGS = {"test_keeps": ["leaked-connection"]}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


async def test_behaves(engine):
    await behaves(engine)


async def test_keeps(engine):
    await keeps(engine)


async def test_behaves_again(engine):
    await behaves(engine)
