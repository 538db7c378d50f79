"""A view that loads what its serializer will read: eagerly, by refresh, and through AsyncAttrs."""

import asyncio
import os

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Song(Base):
    __tablename__ = "serializer_gets_songs"
    id: Mapped[int] = mapped_column(primary_key=True)
    album_id: Mapped[int] = mapped_column(ForeignKey("serializer_gets_albums.id"))
    title: Mapped[str] = mapped_column(String(40))


class Album(Base):
    __tablename__ = "serializer_gets_albums"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    songs: Mapped[list[Song]] = relationship(order_by=Song.id)


def serialize(album: Album) -> dict:
    return {"name": album.name, "songs": [song.title for song in album.songs]}


async def create(session: AsyncSession) -> dict:
    album = Album(name="Loops", songs=[Song(title="Run"), Song(title="Close")])
    session.add(album)
    await session.commit()
    await session.refresh(album, ["name", "songs"])
    return serialize(album)


async def show(session: AsyncSession) -> tuple[dict, int]:
    query = select(Album).options(selectinload(Album.songs))
    album = (await session.scalars(query)).one()
    return serialize(album), len(await album.awaitable_attrs.songs)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with sessions() as session:
        print(await create(session))
    async with sessions() as session:
        print(await show(session))
    await engine.dispose()


asyncio.run(main())
