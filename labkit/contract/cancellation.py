"""Cancellation: a task can be stopped anywhere, and what it held comes back."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy import select

from labkit.contract.clause import clause, expect
from labkit.contract.stage import opened
from labkit.engine import Engine
from labkit.services import Services


@clause()
async def a_cancelled_block_gives_its_connection_back(engine_class: type[Engine], services: Services) -> None:
    """A task that is cancelled inside its block returns what it held before it ends."""
    inside = asyncio.Event()

    async def hold() -> None:
        # The cancellation is caught after the block: the task may have other things to bring to an end.
        with contextlib.suppress(asyncio.CancelledError):
            async with engine.session() as session:
                await session.execute(select(1))
                inside.set()
                await asyncio.Event().wait()

    async with opened(engine_class, services) as engine:
        task = asyncio.create_task(hold(), name="the cancelled one")
        await inside.wait()
        if not engine.statistics().checked_out:
            raise LookupError("The block holds no connection that could come back.")
        task.cancel()
        await asyncio.wait([task])
        expect("no connection out after the cancellation", found=engine.statistics().checked_out, to_be=0)


@clause()
async def a_block_that_times_out_gives_its_connection_back(engine_class: type[Engine], services: Services) -> None:
    """A time-out is a cancellation: the task goes on, and holds nothing."""
    async with opened(engine_class, services) as engine:
        try:
            async with asyncio.timeout(None) as limit, engine.session() as session:
                await session.execute(select(1))
                limit.reschedule(asyncio.get_running_loop().time())  # now, that it is known to hold a connection
                await asyncio.Event().wait()
        except TimeoutError:
            pass
        expect("no connection out after the time-out", found=engine.statistics().checked_out, to_be=0)
