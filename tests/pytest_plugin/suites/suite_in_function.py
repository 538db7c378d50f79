"""A test forgets a session."""

from __future__ import annotations

import pytest
from suites.app import behaves, forgets, make_engine

FINDINGS = {"test_forgets": ["leaked-connection"]}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


async def test_behaves(engine):
    await behaves(engine)


async def test_forgets(engine):
    await forgets(engine)


async def test_behaves_again(engine):
    await behaves(engine)
