"""A registry is built at every call, so that each one gives a new session."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker
from suites.app import count_users, make_engine

FINDINGS = {"test_saves_twice": ["registry-rebuilt"]}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


def current_session(engine):
    return async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)


async def test_saves_twice(engine):
    for _ in range(2):
        await count_users(current_session(engine))


async def test_saves_once_and_well(engine):
    registry = current_session(engine)
    await count_users(registry)
    await registry.remove()
