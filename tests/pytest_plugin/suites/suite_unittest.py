"""A test case of the standard library."""

from __future__ import annotations

import unittest

from suites.app import behaves, forgets, make_engine

FINDINGS = {"UserTest::test_forgets": ["leaked-connection"]}


class UserTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.engine = make_engine()

    async def asyncTearDown(self):
        await self.engine.dispose()

    async def test_behaves(self):
        await behaves(self.engine)

    async def test_forgets(self):
        await forgets(self.engine)

    async def test_here_all_is_well(self):
        await behaves(self.engine)
