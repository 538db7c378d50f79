"""Tests without a plugin for asyncio run their own loops."""

from __future__ import annotations

import asyncio

from suites.app import behaves, forgets, make_engine

FINDINGS = {"test_runs": ["leaked-connection"]}


async def work(unit):
    engine = make_engine()
    await unit(engine)
    await engine.dispose()


def test_runs_well():
    asyncio.run(work(behaves))


def test_runs():
    asyncio.run(work(forgets))


def test_runs_well_again():
    asyncio.run(work(behaves))
