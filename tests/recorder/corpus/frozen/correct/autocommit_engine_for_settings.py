"""A settings store that writes through an engine in autocommit, made from the main one by execution_options."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
settings_session = async_sessionmaker(autocommit)


class Settings:
    async def put(self, name: str, value: str) -> None:
        async with settings_session() as session:
            statement = text("INSERT INTO autocommit_settings (name, value) VALUES (:name, :value)")
            await session.execute(statement, {"name": name, "value": value})

    async def get(self, name: str) -> str | None:
        async with AsyncSession(engine) as session:
            query = text("SELECT value FROM autocommit_settings WHERE name = :name")
            return await session.scalar(query, {"name": name})


async def main() -> None:
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS autocommit_settings"))
        await conn.execute(text("CREATE TABLE autocommit_settings (name VARCHAR(20), value VARCHAR(20))"))
    settings = Settings()
    await settings.put("colour", "green")
    await settings.put("language", "en")
    assert await settings.get("colour") == "green"
    print(await settings.get("language"))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
