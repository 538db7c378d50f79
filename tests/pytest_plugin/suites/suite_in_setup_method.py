"""setup_method opens a session, and no teardown_method closes it."""

from __future__ import annotations

import asyncio

from suites.app import keeps, kept, make_engine

FINDINGS = {"TestUsers::test_counts": ["leaked-connection"]}


class TestUsers:
    def setup_method(self):
        self.runner = asyncio.Runner()
        self.engine = make_engine()
        self.runner.run(keeps(self.engine))

    def teardown_method(self):
        self.runner.close()

    def test_counts(self):
        assert kept


def test_without_a_class():
    assert kept
