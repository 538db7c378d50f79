"""Subscriptions: a connection each, for as long as the subscriber listens and no longer."""

from __future__ import annotations

import asyncio

from labkit.contract.clause import clause
from labkit.contract.stage import opened
from labkit.engine import Engine
from labkit.services import Capability, Services
from labkit.services.evidence import redis_clients

LEAVING = 2.0  # seconds for Redis to see that a client has gone, which it does at once unless something is between


@clause(Capability.CLIENT_LIST)
async def a_subscriber_who_has_gone_leaves_no_connection_on_the_server(
    engine_class: type[Engine], services: Services
) -> None:
    """Redis lists no client for a subscription that has ended."""
    async with opened(engine_class, services) as engine:
        before = await _clients(services)
        messages = engine.subscribe("the contract")
        async with messages:
            own = {client.id for client in await redis_clients(services) if client.subscriptions} - before
        if not own:
            raise LookupError("Redis lists no client for this subscription.")
        # The clock is asked, and nothing is cancelled: with a time-out around it this look once never ended.
        late = asyncio.get_running_loop().time() + LEAVING
        while left := own & await _clients(services):
            if asyncio.get_running_loop().time() > late:
                raise AssertionError(
                    f"expected: no connection of {messages!r} on the server; got: client {min(left)} is still there"
                )


async def _clients(services: Services) -> set[int]:
    return {client.id for client in await redis_clients(services)}
