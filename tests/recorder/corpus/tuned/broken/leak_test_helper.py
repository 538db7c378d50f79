"""A pytest module whose helper puts a user into the database before each test.

The helper commits through one session and looks the user up through another, which nobody closes: all tests pass.
"""

import os
import sys

import pytest
import pytest_asyncio
from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "leak_test_helper"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(60), unique=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sessions():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    yield async_sessionmaker(engine)
    await engine.dispose()


async def make_user(sessions, email):
    async with sessions.begin() as session:
        session.add(User(email=email))
    reader = sessions()
    return await reader.scalar(select(User).where(User.email == email))  # finding: leaked-connection


async def test_a_user_is_numbered(sessions):
    assert (await make_user(sessions, "ada@example.org")).id == 1


async def test_two_users_are_counted(sessions):
    await make_user(sessions, "grace@example.org")
    async with sessions() as session:
        assert await session.scalar(select(func.count(User.id))) == 2


if __name__ == "__main__":
    folder = os.path.dirname(os.path.abspath(__file__))
    isolated = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--noconftest", "-c", os.devnull]
    isolated += ["-o", "asyncio_default_fixture_loop_scope=function"]
    sys.exit(pytest.main([__file__, "-q", "--rootdir", folder, *isolated]))
