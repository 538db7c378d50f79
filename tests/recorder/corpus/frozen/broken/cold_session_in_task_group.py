"""A profile page that loads a user and the user's orders in a task group, on one new session.

Both tasks make the session fetch its connection, and the second one is refused with "This session is
provisioning a new connection; concurrent operations are not permitted".
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


async def load_user(session: AsyncSession, user_id: int) -> str:
    return await session.scalar(text("SELECT 'user'"), {"id": user_id})


async def load_orders(session: AsyncSession, user_id: int) -> list[int]:
    rows = await session.execute(text("SELECT 1 UNION SELECT 2"), {"id": user_id})  # finding: session-shared
    return list(rows.scalars())


async def profile(session: AsyncSession, user_id: int) -> dict:
    async with asyncio.TaskGroup() as group:
        user = group.create_task(load_user(session, user_id), name="user")
        orders = group.create_task(load_orders(session, user_id), name="orders")
    return {"user": user.result(), "orders": orders.result()}


async def get_profile(engine, user_id: int) -> int:
    session = AsyncSession(engine)
    try:
        print(await profile(session, user_id))
        return 200
    except ExceptionGroup as group:
        print(group.exceptions[0])
        return 500
    finally:
        await session.close()


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        print(await get_profile(engine, 1))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
