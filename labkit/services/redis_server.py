"""A Redis or Valkey server of our own: private port, private password, nothing on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from labkit.services.login import ATTEMPT, redis_version, until_ready
from labkit.services.ports import LOOPBACK
from labkit.services.server_process import ServerProcess, find_program, said_version

__all__ = ["RedisProgram", "RedisServer", "find_redis", "redis_url"]

START_LIMIT = 20.0


@dataclass(frozen=True)
class RedisProgram:
    """The server's program and its version."""

    path: Path
    version: str


def find_redis() -> RedisProgram | None:
    """Return the Redis or Valkey server found here."""
    path = find_program("redis-server", "valkey-server")
    version = re.search(r"v=(\d[\d.]*)", said_version(path)) if path else None
    return RedisProgram(path, version[1]) if path and version else None


def redis_url(port: int, password: str, *, host: str = LOOPBACK) -> str:
    """Return the redis-py URL of our server."""
    return f"redis://:{password}@{host}:{port}/0"


class RedisServer:
    """Run the server on `port`."""

    def __init__(self, program: RedisProgram, folder: Path, port: int, password: str) -> None:
        self.url = redis_url(port, password)
        self.version = ""
        # The configuration goes to standard input, for a command line shows in the list of processes.
        config = [f"bind {LOOPBACK}", f"port {port}", f"requirepass {password}", f'dir "{folder}"']
        config += ['save ""', "appendonly no", "daemonize no"]
        self._process = ServerProcess(
            "redis-server", [str(program.path), "-"], folder, config="\n".join(config) + "\n", secret=password
        )

    async def start(self) -> None:
        """Start the server and wait until it answers a login."""
        self._process.start()
        self.version = await until_ready("redis-server", self._login, timeout=START_LIMIT)

    async def _login(self) -> str:
        self._process.check()
        return await redis_version(self.url, timeout=ATTEMPT)

    async def stop(self) -> None:
        """Kill the server."""
        self.kill()

    def kill(self) -> None:
        """Kill the server, without a moment at which a cancellation could come between."""
        self._process.kill()
