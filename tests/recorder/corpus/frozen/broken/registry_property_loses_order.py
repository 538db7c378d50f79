"""A web shop whose Database object offers the current session as a property.

Every access of the property builds a scoped registry again, so the commit goes to another session than
the insert, and the order is not there when the customer comes back.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine


class Database:
    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url)

    @property
    def session(self):
        factory = async_sessionmaker(self.engine, expire_on_commit=False)
        return async_scoped_session(factory, scopefunc=asyncio.current_task)  # finding: registry-rebuilt

    async def setup(self) -> None:
        async with self.engine.begin() as conn:
            await conn.execute(text("DROP TABLE IF EXISTS registry_property_orders"))
            await conn.execute(text("CREATE TABLE registry_property_orders (id INTEGER, item VARCHAR(40))"))


db = Database(os.environ["DATABASE_URL"])


async def place_order(number: int, item: str) -> dict:
    statement = text("INSERT INTO registry_property_orders (id, item) VALUES (:id, :item)")
    await db.session.execute(statement, {"id": number, "item": item})
    await db.session.commit()
    return {"status": 201, "id": number}


async def show_order(number: int) -> dict:
    query = text("SELECT item FROM registry_property_orders WHERE id = :id")
    item = (await db.session.execute(query, {"id": number})).scalar_one_or_none()
    await db.session.remove()
    return {"status": 404} if item is None else {"status": 200, "item": item}


async def main() -> None:
    await db.setup()
    print(await asyncio.create_task(place_order(7, "teapot")))
    print(await asyncio.create_task(show_order(7)))
    await db.engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
