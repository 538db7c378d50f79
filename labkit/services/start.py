"""Start services: one async context manager for every provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from labkit.services.providers import find_provider
from labkit.services.services import Services
from labkit.settings import Settings, read_settings

__all__ = ["start_services"]


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
