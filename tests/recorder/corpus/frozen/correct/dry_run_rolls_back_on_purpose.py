"""An import command with a dry run by default, which inserts all rows to check them and rolls back."""

import argparse
import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Country(Base):
    __tablename__ = "dry_run_countries"

    code: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


async def import_all(session: AsyncSession, lines: list[str], commit: bool) -> int:
    for line in lines:
        code, name = line.split(";")
        session.add(Country(code=code, name=name))
        await session.flush()
    checked = await session.scalar(select(func.count()).select_from(Country))
    if commit:
        await session.commit()
    else:
        await session.rollback()
    return checked


async def run(commit: bool) -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with sessions() as session:
        checked = await import_all(session, ["ch;Switzerland", "no;Norway"], commit)
        stored = await session.scalar(select(func.count()).select_from(Country))
    print(f"checked {checked}, stored {stored}")
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--commit", action="store_true")
    asyncio.run(run(parser.parse_args().commit))
