"""Release: what a block or an engine took it gives back, whatever came of it."""

from __future__ import annotations

import asyncio

from labkit.contract.clause import clause, expect
from labkit.contract.stage import connection_of, new_engine, new_user, opened
from labkit.engine import Engine, User
from labkit.services import Capability, Services
from labkit.services.evidence import connections, count_rows

PATIENCE = 2.0  # seconds in which a server notices that a connection was closed


async def fail_in_a_block(engine: Engine) -> str:
    """Save a user in a block that fails; return the email."""
    user = new_user()
    email = user.email
    try:
        async with engine.session():
            await engine.save(user)
            raise LookupError
    except LookupError:
        return email


@clause()
async def a_block_that_fails_gives_its_connection_back(engine_class: type[Engine], services: Services) -> None:
    """After the error nothing is out."""
    async with opened(engine_class, services) as engine:
        await fail_in_a_block(engine)
        expect("no connection out after the block", found=engine.statistics().checked_out, to_be=0)


@clause()
async def a_block_that_fails_leaves_nothing(engine_class: type[Engine], services: Services) -> None:
    """What it wrote is rolled back, and no later block commits it."""
    async with opened(engine_class, services) as engine:
        email = await fail_in_a_block(engine)
        async with engine.session():
            pass
        rows = await count_rows(services, "users", email=email)
        expect("nothing of a block that failed", found=rows, to_be=0)


@clause(listens=True)
async def nothing_is_left_when_the_loop_ends(engine_class: type[Engine], services: Services) -> None:
    """An engine that was used and closed leaves nothing that could fail later."""
    user = new_user()
    async with opened(engine_class, services) as engine:
        await engine.save(user)
        await engine.find(User, limit=1)


@clause(Capability.PROCESSLIST)
async def close_leaves_no_connection_on_the_server(engine_class: type[Engine], services: Services) -> None:
    """The server itself lists none of the engine's connections any more."""
    engine = await new_engine(engine_class, services).open()
    number = await connection_of(engine)
    await engine.close()
    expect("the server lists the connection no more", found=await is_listed(services, number), to_be=False)


async def is_listed(services: Services, number: int) -> bool:
    """Return True if the server lists a connection; it learns of a closed one a moment later, so look again."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + PATIENCE
    while listed := number in {each.id for each in await connections(services)}:
        if clock() > deadline:
            break
    return listed
