"""One of three tasks in a gather leaks."""

from __future__ import annotations

import asyncio

import pytest
from suites.app import behaves, forgets, make_engine

FINDINGS = {"test_gathers": ["leaked-connection"]}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


async def test_gathers(engine):
    await asyncio.gather(behaves(engine), forgets(engine), behaves(engine))


async def test_gathers_well(engine):
    await asyncio.gather(*(behaves(engine) for _ in range(3)))
