"""Tests that the plugin of anyio runs, all in one task."""

from __future__ import annotations

import anyio
import pytest
from suites.app import behaves, keeps, make_engine

FINDINGS = {"test_keeps": ["leaked-connection"], "test_keeps_in_a_group": ["leaked-connection"]}
OPTIONS = ["-p", "no:asyncio"]


pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def engine(anyio_backend):
    engine = make_engine()
    yield engine
    await engine.dispose()


async def test_behaves(engine):
    await behaves(engine)


async def test_keeps(engine):
    await keeps(engine)


async def test_keeps_in_a_group(engine):
    async with anyio.create_task_group() as group:
        group.start_soon(keeps, engine)


async def test_behaves_again(engine):
    await behaves(engine)
