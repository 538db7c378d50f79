"""A login check of a web application, with a session that is closed by hand.

When the user does not exist the function returns before close(), so each wrong name costs the pool a
connection.
"""

import asyncio
import os

from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=3, max_overflow=5)
open_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "early_return_users"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    secret: Mapped[str] = mapped_column(String(30))


async def find_user(session, name: str) -> User | None:
    return await session.scalar(select(User).where(User.name == name))  # finding: leaked-connection


async def login(name: str, secret: str) -> bool:
    session = open_session()
    user = await find_user(session, name)
    if user is None:
        return False
    allowed = user.secret == secret
    await session.close()
    return allowed


async def main() -> None:
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with open_session.begin() as session:
        session.add(User(name="ada", secret="engine"))
    print(await login("ada", "engine"))
    print(await login("nobody", "guess"))
    print(await login("root", "toor"))
    print(engine.pool.status())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
