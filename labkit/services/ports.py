"""Free ports on the loopback interface."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from labkit.errors import CannotStart

__all__ = ["LOOPBACK", "PortTaken", "free_port", "on_free_port"]

LOOPBACK = "127.0.0.1"
TRIES = 5
Started = TypeVar("Started")


class PortTaken(CannotStart):
    """Another process took the port between our finding it free and the server's binding it."""


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


async def on_free_port(start: Callable[[int], Awaitable[Started]]) -> Started:
    """Start a server on a free port; on another one when the server says that it was taken meanwhile."""
    for _ in range(TRIES - 1):
        with suppress(PortTaken):
            return await start(free_port())
    return await start(free_port())
