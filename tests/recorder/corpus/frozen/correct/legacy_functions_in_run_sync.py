"""An application whose old, synchronous data functions run inside AsyncSession.run_sync."""

import asyncio
import os

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "legacy_functions_teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    members: Mapped[list["Member"]] = relationship(back_populates="team")


class Member(Base):
    __tablename__ = "legacy_functions_members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    team_id: Mapped[int] = mapped_column(ForeignKey("legacy_functions_teams.id"))
    team: Mapped[Team] = relationship(back_populates="members")


def hire(session: Session, team_name: str, names: list[str]) -> Team:
    team = Team(name=team_name, members=[Member(name=name) for name in names])
    session.add(team)
    session.commit()
    return team


def describe(session: Session) -> list[str]:
    teams = session.scalars(select(Team).order_by(Team.id)).all()
    return [f"{team.name}: {', '.join(member.name for member in team.members)}" for team in teams]


async def report(session: AsyncSession) -> list[str]:
    await session.run_sync(hire, "database", ["ada", "edgar"])
    return await session.run_sync(describe)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        print(*await report(session), sep="\n")
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
