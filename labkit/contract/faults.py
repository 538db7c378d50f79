"""Faults: what the servers do to an engine behind its back."""

from __future__ import annotations

from sqlalchemy import select

from labkit.contract.clause import clause, promised
from labkit.contract.stage import connection_of, opened
from labkit.engine import Engine, User
from labkit.services import Capability, Services
from labkit.services.evidence import connections, kill_connection


@clause(Capability.PROCESSLIST, Capability.KILL)
async def a_read_works_after_the_server_has_ended_an_idle_connection(
    engine_class: type[Engine], services: Services
) -> None:
    """A connection that the server has closed meanwhile is not given to anybody."""
    # How long it has to be idle until it is tested is a setting; here that is no time.
    async with opened(engine_class, services, ping_after=0.0) as engine:
        number = await connection_of(engine)
        await kill_connection(services, number)
        while number in {connection.id for connection in await connections(services)}:
            pass
        with promised("the next block works"):
            async with engine.session() as session:
                await session.execute(select(User))
