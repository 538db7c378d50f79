"""Take labkit's engine, whose block disposes of its pool, and its session, whose block gives back."""

import asyncio

from sqlalchemy import select

from labkit import Engine, User


async def find(engine, email):
    async with engine, engine.session() as session:
        name = await session.scalar(select(User.name).where(User.email == email))
        return "nobody" if name is None else name


async def invite(engine, words):
    async with engine, engine.session() as session:
        names = await session.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    return asyncio.run(job(Engine(database_url=database_url), argument))
