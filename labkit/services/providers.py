"""The five providers, the default first, and the one way to start them."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from labkit.errors import InvalidSetting
from labkit.services import containers, in_process, local, url
from labkit.services.provider import Probe, Provider
from labkit.services.services import Services
from labkit.settings import Settings, read_settings

__all__ = ["find_provider", "probe", "provider_names", "start_services"]

_PROVIDERS = {
    provider.name: provider
    for provider in (in_process.EMBEDDED, local.LOCAL, containers.CONTAINERS, url.URL, in_process.SQLITE)
}


def provider_names() -> tuple[str, ...]:
    """Return the names of all providers, the default first."""
    return tuple(_PROVIDERS)


def find_provider(name: str) -> Provider:
    """Return the provider called `name`; raises `InvalidSetting` naming those that there are."""
    if name in _PROVIDERS:
        return _PROVIDERS[name]
    near = difflib.get_close_matches(name, _PROVIDERS, n=1)
    remedy = f"Did you mean {near[0]!r}? " if near else ""
    raise InvalidSetting(f"There is no provider {name!r}.", remedy=f"{remedy}Use one of: {', '.join(_PROVIDERS)}.")


def probe(name: str, *, settings: Settings | None = None) -> Probe:
    """Look whether the provider called `name` could start here: quickly, starting nothing."""
    return find_provider(name).look(settings or read_settings())


@asynccontextmanager
async def start_services(
    provider: str | None = None, *, settings: Settings | None = None
) -> AsyncIterator[Services]:
    """
    Start a MySQL and a Redis, and stop them again: all that was started is gone afterwards, whatever happens.

        async with start_services("local") as services:
            engine = Engine(database_url=services.database_url, redis_url=services.redis_url)

    `provider` is one of `provider_names()`; without it, `settings.provider` (LABKIT_PROVIDER) says which.
    Raises `InvalidSetting`, `CannotStart` or `Unreachable`.
    """
    settings = settings or read_settings()
    chosen = find_provider(provider or settings.provider)
    async with chosen.start(settings) as services:
        yield services
