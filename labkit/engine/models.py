"""Models: the users, rooms and messages of a small chat, and how a moment in time is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, ForeignKey, String, Text, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

__all__ = ["Base", "Message", "Room", "UTCDateTime", "User"]


class UTCDateTime(TypeDecorator[datetime]):
    """
    Store a moment as UTC and give it back aware of that, to the microsecond.

    MySQL's DATETIME knows no time zone, so a naive value would be a guess: it is refused with `ValueError`.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Ask MySQL for the microseconds that its plain DATETIME drops."""
        precise = mysql.DATETIME(fsp=6) if dialect.name == "mysql" else DateTime()
        return dialect.type_descriptor(precise)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A moment needs a time zone, got {value!r}: use datetime.now(UTC).")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say again that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """The parent of every model: full Unicode in MySQL, and a `repr` that never asks the database."""

    # What the server fills in is read at once: it can't be read when its attribute is accessed.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012  SQLAlchemy reads it off the class
    __table_args__ = {"mysql_charset": "utf8mb4"}  # noqa: RUF012  SQLAlchemy reads it off the class

    def __repr__(self) -> str:
        loaded = inspect(self).dict
        columns = [column.key for column in inspect(type(self)).column_attrs if column.key in loaded]
        return f"{type(self).__name__}({', '.join(f'{key}={loaded[key]!r}' for key in columns)})"


class User(Base):
    """A person who writes; known by `email`."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(190), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Room(Base):
    """Where messages are written; known by `name`."""

    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)

    # lazy="raise": an attribute access must never need the database behind the caller's back.
    messages: Mapped[list[Message]] = relationship(back_populates="room", lazy="raise", passive_deletes="all")


class Message(Base):
    """What a user wrote in a room."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    room: Mapped[Room] = relationship(back_populates="messages", lazy="raise")
    author: Mapped[User] = relationship(lazy="raise")
