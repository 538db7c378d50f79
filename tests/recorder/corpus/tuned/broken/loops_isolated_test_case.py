"""A unittest module with two asynchronous test cases on one module-level engine.

Each test method runs in a loop of its own, so the second one is given the first one's connection.
"""

import io
import os
import unittest

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])


class Clock:
    def __init__(self, session):
        self.session = session

    async def hours(self, minutes):
        query = text("SELECT :minutes / 60")
        return int(await self.session.scalar(query, {"minutes": minutes}))  # finding: pool-crossed-loops


class FirstTest(unittest.IsolatedAsyncioTestCase):
    async def test_two_hours(self):
        async with AsyncSession(engine) as session:
            assert await Clock(session).hours(120) == 2


class SecondTest(unittest.IsolatedAsyncioTestCase):
    async def test_three_hours(self):
        async with AsyncSession(engine) as session:
            assert await Clock(session).hours(180) == 3


if __name__ == "__main__":
    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in (FirstTest, SecondTest)
    )
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    print("tests:", result.testsRun, "errors:", len(result.errors))
