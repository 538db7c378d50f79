import asyncio

from engine import DBEngine
from models import User
from sqlalchemy.exc import IntegrityError


async def save_twice():
    db = DBEngine()
    await db.create_tables()
    await db.save(User(email="ada@example.org", name="Ada"))
    try:
        await db.save(User(email="ada@example.org", name="Ada"))
    except IntegrityError:
        print("IntegrityError, as expected")
    else:
        raise AssertionError("the same user was saved twice")
    finally:
        await db.close()


def test_the_same_user_is_refused():
    asyncio.run(save_twice())


if __name__ == "__main__":
    asyncio.run(save_twice())
