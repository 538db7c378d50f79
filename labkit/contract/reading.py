"""Reading: a read ends where it is told to, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from labkit.contract.clause import clause, expect
from labkit.contract.reads import held_reads
from labkit.contract.stage import new_user, opened
from labkit.engine import Engine, User
from labkit.services import Services


@clause()
async def a_cancelled_reader_is_told_so(engine_class: type[Engine], services: Services) -> None:
    """A task that is cancelled in the middle of a read does not go on as if nothing had been found."""
    email = new_user().email
    async with opened(engine_class, services) as engine:
        async with held_reads(engine, email) as reads:
            reader = asyncio.create_task(engine.find(User, User.email == email))
            reader.add_done_callback(lambda _: reads.begun.set())
            await reads.begun.wait()
            reader.cancel()
            await asyncio.wait([reader])
        outcome = "it is told" if reader.cancelled() else reader.result()
        expect("a reader that is cancelled in the middle of its read", found=outcome, to_be="it is told")


@clause()
async def a_read_gives_its_connection_back_at_once(engine_class: type[Engine], services: Services) -> None:
    """When the row is there, its connection is there too, for the next one."""
    email = new_user().email
    # Without a cache the read is the last thing that happens before its row is there.
    async with opened(engine_class, replace(services, redis_url="")) as engine:
        await engine.get(User, email=email)
        expect("no connection out after a read", found=engine.statistics().checked_out, to_be=0)
