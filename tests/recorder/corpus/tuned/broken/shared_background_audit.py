"""A request handler that starts an audit task in the background and goes on.

The task was given the request's session, so that both use it at the same time; the answers happen to be right.
"""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Visit(Base):
    __tablename__ = "shared_background_audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(60))


class Audit:
    def __init__(self, session):
        self.session = session

    async def visits(self, path):
        query = select(func.count(Visit.id)).where(Visit.path == path)
        return await self.session.scalar(query)  # finding: session-shared


async def handler(session, path):
    session.add(Visit(path=path))
    await session.commit()
    await session.connection()
    audit = asyncio.create_task(Audit(session).visits(path), name="audit")
    last = await session.scalar(select(func.max(Visit.id)))
    return {"last": last, "visits": await audit}


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions() as session:
        print(await handler(session, "/a"))
    await engine.dispose()


asyncio.run(main())
