"""A forked child begins anew, and knows which connections are its parent's."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from labkit.recorder import FlightRecorder, find
from labkit.recorder.json_format import load

from .aids import LEAKY

pytestmark = [
    *(pytest.mark.filterwarnings(each) for each in LEAKY),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def in_child(work: Callable[[], str]) -> str:
    """Return what `work` says in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        said = "the child failed"
        try:
            said = work()
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


def test_a_child_that_uses_its_parents_connection_is_told(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/fork.db", poolclass=QueuePool)
    with FlightRecorder() as flight:
        engine.connect().close()

        def work() -> str:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return flight.to_json()

        record = load(in_child(work))
        assert flight.findings() == []
    [finding] = find(record)
    assert finding.code == "pool-crossed-fork"
    assert f"was opened in process {os.getpid()} and used at test_forks.py:" in finding.summary
    assert finding.pid == record.pid != os.getpid()
    engine.dispose()


def test_a_child_that_makes_its_own_connections_has_nothing_to_answer_for(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/fork.db", poolclass=QueuePool)
    with FlightRecorder() as flight:
        held = engine.connect()

        def work() -> str:
            engine.dispose(close=False)
            engine.connect().close()
            return flight.to_json()

        record = load(in_child(work))
        assert len(flight.holders()) == 1
        held.close()
    assert (find(record), record.counts.checkouts, len(record.checkouts)) == ([], 1, 1)
    assert flight.statistics().checkouts == 1
    engine.dispose()


def test_what_the_parent_held_is_not_the_childs_to_lose(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/fork.db", poolclass=QueuePool)
    with FlightRecorder() as flight:
        held = [engine.connect()]

        def work() -> str:
            held.clear()
            flight.finish()
            return json.dumps([flight.statistics().out, [finding.code for finding in flight.findings()]])

        assert json.loads(in_child(work)) == [0, []]
        held.clear()
    engine.dispose()


def test_a_child_that_uses_its_parents_redis_connection_is_told(redis_url: str) -> None:
    async def main() -> None:
        client: Any = Redis.from_url(redis_url)
        await client.get("x")

        def work() -> str:
            lease = client.connection_pool.get_available_connection()
            assert lease
            return flight.to_json()

        [finding] = find(load(in_child(work)))
        assert finding.code == "pool-crossed-fork"
        await client.aclose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert flight.findings() == []


def test_parent_and_child_are_judged_together(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/fork.db", poolclass=QueuePool)
    with FlightRecorder() as flight:
        engine.connect().close()

        def work() -> str:
            engine.connect().close()
            return flight.to_json()

        child = load(in_child(work))
        findings = find(flight.record(), child)
    assert [(finding.code, finding.pid) for finding in findings] == [("pool-crossed-fork", child.pid)]
    engine.dispose()


def test_a_childs_collector_leaves_alone_what_its_parent_has_made() -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            told.append("gone")

    told: list[str] = []
    parents = [Ring()]

    def let_go() -> str:
        parents.clear()
        gc.collect()
        return str(told)

    assert in_child(let_go) == "['gone']"
    with FlightRecorder():
        assert in_child(let_go) == "[]"
