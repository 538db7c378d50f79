"""Logins: the one account there is."""

from __future__ import annotations

from mysql_mimic.auth import IdentityProvider, NativePasswordAuthPlugin, User

__all__ = ["Accounts"]


class Accounts(IdentityProvider):  # type: ignore[misc]
    """Know one account, and let an unknown name fail as a wrong password does."""

    def __init__(self, name: str, password: str) -> None:
        self._name = name
        self._auth = NativePasswordAuthPlugin.create_auth_string(password)

    async def get_user(self, username: str) -> User:
        """Return the account of that name; an unknown one has a hash that no password gives."""
        secret = self._auth if username == self._name else "0" * 40
        return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)
