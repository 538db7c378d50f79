"""The tests of a class share one loop and one engine; one test keeps a connection."""

from __future__ import annotations

import pytest
import pytest_asyncio
from suites.app import behaves, keeps, make_engine

FINDINGS = {"TestUsers::test_keeps": ["leaked-connection"]}


@pytest.mark.asyncio(loop_scope="class")
class TestUsers:
    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    async def engine(self):
        engine = make_engine()
        yield engine
        await engine.dispose()

    async def test_behaves(self, engine):
        await behaves(engine)

    async def test_keeps(self, engine):
        await keeps(engine)

    async def test_behaves_again(self, engine):
        await behaves(engine)
