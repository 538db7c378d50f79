"""A script that prints blog posts with their comments, written as one would with a synchronous session.

The comments are loaded when they are first looked at, which is outside an await, so the first post
already ends the script's loop with MissingGreenlet.
"""

import asyncio
import os

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Comment(Base):
    __tablename__ = "lazy_comments_comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("lazy_comments_posts.id"))
    body: Mapped[str] = mapped_column(String(200))


class Post(Base):
    __tablename__ = "lazy_comments_posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    comments: Mapped[list[Comment]] = relationship(order_by=Comment.id)

    def summary(self) -> str:
        return f"{self.title} ({len(self.comments)} comments)"  # finding: implicit-io


async def show(session: AsyncSession) -> None:
    for post in await session.scalars(select(Post).order_by(Post.id)):
        try:
            print(post.summary())
        except (MissingGreenlet, StatementError) as error:
            print("cannot show a post:", type(error).__name__)
            break


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session, session.begin():
        session.add(Post(title="Loops", comments=[Comment(body="nice")]))
    async with AsyncSession(engine) as session:
        await show(session)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
