"""A small web application with one task-scoped session registry and a dispatcher of requests.

No request ends with remove(), so the registry keeps the session of each finished request with its
connection, and the pool is short of one connection per request.
"""

import asyncio
import os

from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10)
Session = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "scoped_never_removed_articles"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))


class Articles:
    async def get(self, article_id: int) -> Article | None:
        query = select(Article).where(Article.id == article_id)
        return (await Session.execute(query)).scalar_one_or_none()  # finding: scope-mismatch


async def article_view(article_id: int) -> tuple[int, str]:
    article = await Articles().get(article_id)
    return (200, article.title) if article else (404, "")


async def dispatch(paths: list[str]) -> list[tuple[int, str]]:
    requests = [asyncio.create_task(article_view(int(path.rsplit("/", 1)[1]))) for path in paths]
    return [await request for request in requests]


async def main() -> None:
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine).begin() as session:
        session.add_all([Article(id=1, title="Pools"), Article(id=2, title="Loops")])
    print(await dispatch(["/articles/1", "/articles/2", "/articles/3"]))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
