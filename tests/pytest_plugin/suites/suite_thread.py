"""A thread with its own loop keeps a connection."""

from __future__ import annotations

import asyncio
import threading

from suites.app import behaves, keeps, make_engine

FINDINGS = {"test_in_thread": ["leaked-connection"], "test_to_thread": ["leaked-connection"]}


async def work(unit):
    engine = make_engine()
    await unit(engine)
    await engine.dispose()


def test_in_thread():
    thread = threading.Thread(target=lambda: asyncio.run(work(keeps)))
    thread.start()
    thread.join()


async def test_to_thread():
    await asyncio.to_thread(lambda: asyncio.run(work(keeps)))


async def test_to_thread_well():
    await asyncio.to_thread(lambda: asyncio.run(work(behaves)))
