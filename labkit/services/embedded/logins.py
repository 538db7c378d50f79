"""Logins: the one account there is, and the reader that notices when a client goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mysql_mimic.auth import IdentityProvider, NativePasswordAuthPlugin, User

__all__ = ["Accounts", "WireReader"]


class Accounts(IdentityProvider):  # type: ignore[misc]
    """Know one account, and let an unknown name fail as a wrong password does."""

    def __init__(self, name: str, password: str) -> None:
        self._name = name
        self._auth = NativePasswordAuthPlugin.create_auth_string(password)

    async def get_user(self, username: str) -> User:
        """Return the account of that name; an unknown one has a hash that no password gives."""
        secret = self._auth if username == self._name else "0" * 40
        return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)


class WireReader(asyncio.StreamReader):
    """Read whole packets' parts, and say at once when the client has gone."""

    on_gone: Callable[[], None] | None = None

    async def read(self, n: int = -1) -> bytes:
        """Return exactly `n` bytes, or none at the end."""
        try:
            return await self.readexactly(n)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    def feed_eof(self) -> None:
        """Note the end, and tell the connection."""
        super().feed_eof()
        self._tell()

    def set_exception(self, exc: BaseException) -> None:
        """Note a broken socket, and tell the connection."""
        super().set_exception(exc)  # type: ignore[arg-type]
        self._tell()

    def _tell(self) -> None:
        if self.on_gone is not None:
            self.on_gone()
