"""A test times out in the middle of its work, and nothing closes the session."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, make_engine

FINDINGS = {"test_times_out": ["cancelled-while-holding"]}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


async def works(engine, limit):
    session = AsyncSession(engine)
    await session.execute(text("SELECT 1"))
    limit.reschedule(0)
    await asyncio.Event().wait()


async def test_times_out(engine):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit:
            await works(engine, limit)


async def test_behaves(engine):
    await behaves(engine)
