"""A pytest module whose fixture binds the session to a connection and rolls everything back after the test."""

# drivers: asyncmy aiomysql

import os
import sys

import pytest
import pytest_asyncio
from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Base(DeclarativeBase):
    pass


class Room(Base):
    __tablename__ = "session_joins_outer_transaction"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def session(engine):
    async with engine.connect() as conn:
        transaction = await conn.begin()
        async with AsyncSession(bind=conn, join_transaction_mode="create_savepoint") as session:
            yield session
        await transaction.rollback()


@pytest.mark.parametrize("name", ["kitchen", "hall"])
async def test_a_room_is_alone_in_its_test(session, name):
    session.add(Room(name=name))
    await session.commit()
    assert (await session.scalars(select(Room.name))).all() == [name]


async def test_nothing_is_left(engine):
    async with engine.connect() as conn:
        assert await conn.scalar(select(func.count(Room.id))) == 0


if __name__ == "__main__":
    folder = os.path.dirname(os.path.abspath(__file__))
    isolated = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--noconftest", "-c", os.devnull]
    isolated += ["-o", "asyncio_default_fixture_loop_scope=function"]
    sys.exit(pytest.main([__file__, "-q", "--rootdir", folder, *isolated]))
