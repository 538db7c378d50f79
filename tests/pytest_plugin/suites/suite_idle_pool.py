"""An engine of the whole run keeps idle connections; a singleton, made by the first who asks, too."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, count_users, make_engine

FINDINGS = {}


pytestmark = pytest.mark.asyncio(loop_scope="session")
singleton = []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def close_singleton():
    yield
    for engine in singleton:
        await engine.dispose()


def current_engine():
    if not singleton:
        singleton.append(make_engine())
    return singleton[0]


async def test_one(engine):
    await asyncio.gather(*(behaves(engine) for _ in range(3)))


async def test_first_with_singleton():
    await behaves(current_engine())


async def test_second_with_singleton():
    await behaves(current_engine())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def session(engine):
    async with AsyncSession(engine) as session:
        yield session


async def test_holds(session):
    assert await count_users(session) == 1


async def test_still_holds(session):
    assert await count_users(session) == 1
