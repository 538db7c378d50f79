"""One set of parameters takes the way out that forgets the session."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import count_users, make_engine

FINDINGS = {"test_import[last batch]": ["leaked-connection"]}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest.mark.parametrize("batch", ["first batch", "middle", "last batch"])
async def test_import(engine, batch):
    session = AsyncSession(engine)
    await count_users(session)
    if batch == "last batch":
        return
    await session.close()
