"""A fixture fails with a connection in its hands, so that its test never runs."""

from __future__ import annotations

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, count_users, make_engine

FINDINGS = {"test_never_runs": ["leaked-connection"]}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def user(engine):
    session = AsyncSession(engine)
    await count_users(session)
    raise LookupError("no such user")


@pytest.mark.asyncio(loop_scope="session")
async def test_never_runs(user):
    raise AssertionError


@pytest.mark.asyncio(loop_scope="session")
async def test_behaves(engine):
    await behaves(engine)
