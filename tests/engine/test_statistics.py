"""What an engine says of itself."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Callable

import pytest
from sqlalchemy import select

from labkit.engine import Engine, EngineStatistics, User
from labkit.services import Services

NOTHING = EngineStatistics(
    pool_size=2,
    checked_out=0,
    overflow=0,
    waiting=0,
    sessions=(),
)


async def test_it_counts_what_is_held_now(make_engine: Callable[..., Engine], any_services: Services) -> None:
    engine = make_engine(pool_size=2, max_overflow=1)
    assert engine.statistics() == NOTHING
    async with engine:
        await engine.create_tables()
        assert engine.statistics() == NOTHING
        held = asyncio.Barrier(4)

        async def hold() -> None:
            async with engine.session() as session:
                if any_services.provider != "sqlite":
                    await session.execute(select(1))
                await held.wait()
                await held.wait()

        tasks = [asyncio.create_task(hold(), name=f"holder {i}") for i in range(3)]
        await held.wait()
        out = 0 if any_services.provider == "sqlite" else 3
        assert engine.statistics() == dataclasses.replace(
            NOTHING, checked_out=out, overflow=out // 3, sessions=("holder 0", "holder 1", "holder 2")
        )
        said = f"open, {out} connections out, 3 sessions, 0 waiting>"
        assert repr(engine) == f"<Engine {engine.url!r} {said}"
        await held.wait()
        await asyncio.gather(*tasks)
        await engine.get(User, id=1)
        assert engine.statistics() == dataclasses.replace(NOTHING, cache_misses=1)
    assert engine.statistics() == dataclasses.replace(NOTHING, cache_misses=1)


def test_it_can_not_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        NOTHING.waiting = 7  # type: ignore[misc]


SEAMS = ["sessions", "scope", "commit", "undo", "release", "read", "look_up", "changing", "announce"]


@pytest.mark.parametrize("seam", SEAMS)
def test_a_seam_states_its_promise_and_has_at_most_twelve_lines(seam: str) -> None:
    method = getattr(Engine, seam)
    assert method.__doc__
    assert len(inspect.getsource(method).splitlines()) <= 12
