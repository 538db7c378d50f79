"""A Redis for teaching: fakeredis' commands over a loopback port, from its own thread and event loop."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import fakeredis
from fakeredis import FakeServer
from fakeredis._clients._tcp_server import encode_reply
from fakeredis._helpers import SimpleError
from fakeredis._socket import AsyncFakeSocket
from redis import Redis

from labkit.embedded.thread import HOST, ServerThread
from labkit.errors import CannotStart

__all__ = ["RedisServer", "run_redis"]

VERSION = (8, 0)
NO_LOGIN = "NOAUTH Authentication required."
WRONG_LOGIN = "WRONGPASS invalid username-password pair or user is disabled."


class Client(AsyncFakeSocket):
    """
    One client's side of the fake server.

    fakeredis has its own TCP server, which polls for messages, never asks for a password and lacks INFO; here
    each reply goes out as soon as it is there.
    """

    def __init__(self, server: RedisServer, transport: asyncio.Transport) -> None:
        info = {"addr": address(transport, "peername"), "laddr": address(transport, "sockname")}
        super().__init__(server.fake, 0, client_class=Redis, client_info=info)
        self._home, self._transport, self._admitted = server, transport, False

    def put_response(self, msg: Any) -> None:
        """Send a reply, or a message that another client has published."""
        if not self._transport.is_closing():
            self._transport.write(encode_reply(msg, self._client_info.protocol_version))

    def kill(self) -> None:
        """Close the connection, as CLIENT KILL does."""
        super().kill()
        self._transport.close()

    def leave(self) -> None:
        """Forget a client that has gone."""
        with self._server.lock:
            super().kill()

    def _process_command(self, fields: list[bytes]) -> None:
        name = fields[0].upper()
        password = given_password(name, fields)
        if password is not None:
            self._admitted = hmac.compare_digest(password, self._home.password.encode())
        if password is not None and not self._admitted:
            self.put_response(SimpleError(WRONG_LOGIN))
        elif not self._admitted and name != b"QUIT":
            self.put_response(SimpleError(NO_LOGIN))
        elif name == b"AUTH":
            self.put_response(b"OK")
        elif name == b"INFO":
            self.put_response(self._home.info().encode())
        else:
            self._client_info["cmd"] = name.decode("utf-8", "replace").lower()
            super()._process_command(without_login(name, fields))
            self._client_info["sub"] = self._pubsub


def address(transport: asyncio.Transport, which: str) -> str:
    """Return an address as Redis writes it."""
    host, port = transport.get_extra_info(which)[:2]
    return f"{host}:{port}"


def given_password(name: bytes, fields: list[bytes]) -> bytes | None:
    """Return the password that an AUTH or HELLO command brings, or None."""
    if name == b"AUTH":
        return fields[-1]
    words = [field.upper() for field in fields]
    if name == b"HELLO" and b"AUTH" in words[2:]:
        return fields[min(words.index(b"AUTH", 2) + 2, len(fields) - 1)]
    return None


def without_login(name: bytes, fields: list[bytes]) -> list[bytes]:
    """Return a HELLO command without the login that has been checked."""
    words = [field.upper() for field in fields]
    if name != b"HELLO" or b"AUTH" not in words[2:]:
        return fields
    at = words.index(b"AUTH", 2)
    return fields[:at] + fields[at + 3 :]


class RedisProtocol(asyncio.Protocol):
    """Carry bytes between one TCP connection and its `Client`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._client = Client(self._server, transport)
        self._server.transports.add(transport)

    def data_received(self, data: bytes) -> None:
        """Run the commands that have come."""
        try:
            self._client.sendall(data)
        except Exception as error:
            self._client.put_response(SimpleError(f"ERR Protocol error: {error}"))
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._server.transports.discard(self._transport)
        self._client.leave()


class RedisServer(ServerThread):
    """
    Serve fakeredis to Redis clients. It keeps everything in memory, and is for teaching.
    """

    def __init__(self) -> None:
        super().__init__("labkit-embedded-redis")
        self.password = secrets.token_urlsafe(18)
        self.fake = FakeServer(version=VERSION)
        self.transports: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """Return the redis-py URL, with its password."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    @property
    def version(self) -> str:
        """Return what INFO says."""
        return f"{'.'.join(map(str, VERSION))}.0-fakeredis-{fakeredis.__version__}"

    def info(self) -> str:
        """Return the part of INFO that there is."""
        clients = len(self.transports)
        return (
            f"# Server\r\nredis_version:{self.version}\r\nredis_mode:standalone\r\ntcp_port:{self.port}\r\n"
            f"# Clients\r\nconnected_clients:{clients}\r\n"
        )

    async def _serve(self) -> None:
        server = await self._loop.create_server(lambda: RedisProtocol(self), HOST, 0)
        self._listens(server)
        await self._stopping.wait()
        server.close()
        for transport in list(self.transports):
            transport.abort()
        await asyncio.sleep(0)  # lets the aborted connections say that they are lost


@asynccontextmanager
async def run_redis() -> AsyncIterator[RedisServer]:
    """Run the Redis server while the block runs. Raises `CannotStart` when no port can be had."""
    server = RedisServer()
    try:
        server.start()
    except OSError as fault:
        raise CannotStart(f"The embedded Redis server did not start: {fault}.") from fault
    try:
        yield server
    finally:
        server.stop()
