"""A fixture of one test gives a session and never closes it."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, count_users, make_engine

FINDINGS = {"test_with_session": ["leaked-connection"]}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(engine):
    session = AsyncSession(engine)
    await count_users(session)
    return session


async def test_with_session(session):
    assert await count_users(session) == 1


async def test_without_session(engine):
    await behaves(engine)
