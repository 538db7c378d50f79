"""A fixture of the whole run keeps what it took, and answers for it itself."""

from __future__ import annotations

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, count_users, make_engine

FINDINGS = {
    "session fixture session of suite_wide_fixture.py": ["leaked-connection"],
    "module fixture other_engine of suite_wide_fixture.py": ["engine-not-disposed"],
}


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session(engine):
    return AsyncSession(engine)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other_engine():
    return make_engine()


async def test_with_session(session):
    assert await count_users(session) == 1


async def test_with_both(session, other_engine):
    assert await count_users(session) == 1
    await behaves(other_engine)


async def test_with_session_again(session):
    assert await count_users(session) == 1
