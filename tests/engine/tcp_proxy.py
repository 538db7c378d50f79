"""A TCP proxy on loopback: it counts round trips, and harms single requests or the whole route."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from enum import StrEnum
from typing import Self

__all__ = ["Harm", "Proxy", "Route"]


class Harm(StrEnum):
    """What happens to one request."""

    REQUEST_LOST = "request lost"  # the connection is closed in its place
    ANSWER_LOST = "answer lost"  # the server has carried it out; the connection is closed in place of its answer
    NO_ANSWER = "no answer"  # the server has carried it out; the connection stays, and nothing comes
    LATE = "late"  # the server gets it `seconds` later, also when its client has gone meanwhile


class Route(StrEnum):
    """What happens to all of them."""

    OPEN = "open"
    REFUSED = "refused"  # every connection is closed, and a new one at once
    SILENT = "silent"  # connections are accepted, and nothing comes through
    STALLED = "stalled"  # what is sent waits until the route is open again
    SLOW = "slow"  # each piece of data takes up to `slowness` seconds more


class Proxy:
    """
    Stand before a server at `host`:`port`: `async with Proxy(host, port) as proxy`, and connect to `proxy.port`.

    `round_trips` counts how often an answer began after a request. `harmed` counts what `arm` has hit. All has gone
    through unharmed since `quiet_since()`.
    """

    def __init__(
        self, host: str, port: int, *, seed: int = 0, seconds: float = 0.2, slowness: float = 0.02
    ) -> None:
        self._server_at = host, port
        self._random = random.Random(seed)
        self._opened = asyncio.Event()
        self._opened.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._armed: tuple[bytes, Harm] | None = None
        self.seconds = seconds
        self.slowness = slowness
        self.route = Route.OPEN
        self.harmed: Counter[tuple[bytes, str]] = Counter()
        self.round_trips = 0
        self._harming = 0
        self._quiet_since = time.monotonic()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def arm(self, harm: Harm, pattern: bytes = b"") -> None:
        """Harm the next request that holds `pattern`; what was armed before is forgotten."""
        self._armed = pattern, harm

    def disarm(self) -> None:
        """Harm no request any more."""
        self._armed = None

    def quiet_since(self) -> float:
        """Return the moment, of `time.monotonic()`, at which the last harm ended; now, if there is one."""
        return time.monotonic() if self._harming or self.route is not Route.OPEN else self._quiet_since

    def set(self, route: Route) -> None:
        """Change what happens to everything that goes through."""
        self._quiet_since = self.quiet_since()
        self.route = route
        if route is Route.STALLED:
            self._opened.clear()
        else:
            self._opened.set()
        if route is Route.REFUSED:
            self.cut()

    def cut(self) -> None:
        """Close every connection at once."""
        for writer in self._writers:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.route is not Route.REFUSED:
                await self._connect(reader, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*self._server_at)
        self._writers.add(to_server)
        connection = _Connection(self, writer, to_server)
        down = asyncio.create_task(connection.answers(from_server))
        try:
            await connection.requests(reader)
        finally:
            down.cancel()
            with suppress(asyncio.CancelledError):
                await down
            to_server.close()
            self._writers.discard(to_server)

    async def pause(self) -> bool:
        """Wait as the route asks for; return False if what waited is lost."""
        if self.route is Route.SLOW:
            await asyncio.sleep(self._random.uniform(0, self.slowness))
        await self._opened.wait()
        return self.route is not Route.SILENT

    async def harm(self, request: bytes) -> Harm | None:
        """Return the harm that this request gets; if it is late, after its time."""
        if self._armed is None or self._armed[0] not in request:
            return None
        self.harmed[self._armed] += 1
        (_, harm), self._armed = self._armed, None
        self._harming += 1
        if harm is Harm.LATE:
            await asyncio.sleep(self.seconds)
        self._harming -= 1
        self._quiet_since = time.monotonic()
        return harm


class _Connection:
    """The two directions of one connection."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._harm: Harm | None = None
        self._asked = False

    async def requests(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(1 << 16):
            if not await self._proxy.pause():
                continue
            harm = await self._proxy.harm(data)
            self._harm = harm or self._harm
            if harm is Harm.REQUEST_LOST:
                return
            self._asked = True
            self._server.write(data)
            await self._server.drain()

    async def answers(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                self._proxy.round_trips += self._asked
                self._asked = False
                if self._harm is Harm.ANSWER_LOST:
                    break
                if self._harm is not Harm.NO_ANSWER and await self._proxy.pause():
                    self._client.write(data)  # a client that has gone does not matter: its request was late
        self._client.transport.abort()
