"""Control: stop and start the servers of running services, for lessons and tests about outages."""

from __future__ import annotations

from typing import Literal, Protocol

__all__ = ["Control", "Server"]


class Server(Protocol):
    """A server that can be stopped and started again; both may be called from any event loop."""

    async def start(self) -> None:
        """Start the server and wait until it answers a login."""

    async def stop(self) -> None:
        """Kill the server."""


class Control:
    """The `ServerControl` of two servers."""

    def __init__(self, *, mysql: Server, redis: Server) -> None:
        self._servers = {"mysql": mysql, "redis": redis}

    async def stop(self, server: Literal["mysql", "redis"]) -> None:
        """Kill the server, as a power cut would."""
        await self._servers[server].stop()

    async def start(self, server: Literal["mysql", "redis"]) -> None:
        """Start the server again and wait until it answers a login."""
        await self._servers[server].start()
