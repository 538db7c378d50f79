"""Services: a MySQL and a Redis that are running, where they are, and what they can do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from labkit.errors import MissingCapability

__all__ = [
    "ALL_CAPABILITIES",
    "CAPABILITIES",
    "Capability",
    "Control",
    "Server",
    "ServerControl",
    "Services",
    "providers_with",
]


class Capability(enum.StrEnum):
    """What a provider's servers can do beyond plain SQL; a lesson, a bug or a test names what it needs."""

    SERVER = "server"  # a database server on a socket, with connections of its own to count
    PROCESSLIST = "processlist"  # the server lists its connections
    KILL = "kill"  # the server ends one of its connections when asked
    WAIT_TIMEOUT = "wait_timeout"  # the server ends an idle connection by itself
    SLEEP = "sleep"  # SELECT SLEEP(n)
    ISOLATION = "isolation"  # uncommitted rows are unseen by others, who need not wait
    ROW_LOCKS = "row_locks"  # two transactions can write different rows at once
    DEADLOCK = "deadlock"  # the server finds a deadlock and says 1213
    CLIENT_LIST = "client_list"  # Redis lists its clients, and ends one when asked
    RESTART = "restart"  # MySQL and Redis can be stopped and started again under load


ALL_CAPABILITIES = frozenset(Capability)
CAPABILITIES: dict[str, frozenset[Capability]] = {  # of each provider, the default first
    "embedded": ALL_CAPABILITIES - {Capability.ROW_LOCKS, Capability.DEADLOCK, Capability.RESTART},
    "local": ALL_CAPABILITIES,
    "containers": ALL_CAPABILITIES,
    "url": ALL_CAPABILITIES - {Capability.RESTART},
    "sqlite": frozenset({Capability.CLIENT_LIST}),
}


def providers_with(capability: Capability) -> tuple[str, ...]:
    """Return the names of the providers whose servers have `capability`."""
    return tuple(name for name, able in CAPABILITIES.items() if capability in able)


class ServerControl(Protocol):
    """Stop and start one server of running services; from any event loop, on the same port, same login."""

    async def stop(self, server: Literal["mysql", "redis"]) -> None:
        """Kill the server, as a power cut would; what MySQL has committed is still there at the next start."""

    async def start(self, server: Literal["mysql", "redis"]) -> None:
        """Start the server again and wait until it answers a login."""


@dataclass(frozen=True)
class Services:
    """
    Say where a running MySQL and Redis are and what they can do.

    `database_url` is an SQLAlchemy URL with an async driver, `redis_url` a redis-py URL; both hold passwords,
    which `repr` leaves out. `versions` maps "mysql" (or "mariadb", "sqlite") and "redis" to what the server says.
    `control` is there with `Capability.RESTART`.
    """

    provider: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    versions: Mapping[str, str]
    capabilities: frozenset[Capability]
    control: ServerControl | None = field(default=None, repr=False, compare=False)

    def require(self, capability: Capability) -> None:
        """Raise `MissingCapability`, naming the providers that can, unless these services have `capability`."""
        if capability not in self.capabilities:
            able = ", ".join(providers_with(capability))
            raise MissingCapability(
                f"The provider {self.provider!r} has no {capability.value!r}.", remedy=f"Use one of: {able}."
            )

    def environment(self) -> dict[str, str]:
        """
        Return the variables under which other programs, and labkit itself, find these services.

        A labkit that reads them uses these servers (the provider `url`), and starts none of its own.
        """
        return {
            "LABKIT_PROVIDER": "url",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "LABKIT_DATABASE_URL": self.database_url,
            "LABKIT_REDIS_URL": self.redis_url,
        }


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
