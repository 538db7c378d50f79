"""A test module with a database in memory: one connection (StaticPool) under all sessions of a test."""

# drivers: aiosqlite

import os
import sys

import pytest
import pytest_asyncio
from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Tag(Base):
    __tablename__ = "static_pool_in_memory"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


@pytest_asyncio.fixture
async def sessions():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.create_all)
    yield async_sessionmaker(engine)
    await engine.dispose()


@pytest.mark.asyncio
async def test_tags_of_one_session_are_seen_by_the_next(sessions):
    async with sessions.begin() as session:
        session.add(Tag(name="python"))
    async with sessions() as session, sessions() as other:
        assert await session.scalar(select(Tag.name)) == await other.scalar(select(Tag.name)) == "python"


@pytest.mark.asyncio
async def test_each_test_has_its_own_database(sessions):
    async with sessions() as session:
        assert await session.scalar(select(func.count(Tag.id))) == 0


if __name__ == "__main__":
    folder = os.path.dirname(os.path.abspath(__file__))
    isolated = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--noconftest", "-c", os.devnull]
    isolated += ["-o", "asyncio_default_fixture_loop_scope=function"]
    sys.exit(pytest.main([__file__, "-q", "--rootdir", folder, *isolated]))
