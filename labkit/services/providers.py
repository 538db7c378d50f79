"""The registry of providers, the default first."""

from __future__ import annotations

import difflib

from labkit.errors import InvalidSetting
from labkit.services import containers, in_process, local, url
from labkit.services.provider import Probe, Provider
from labkit.settings import Settings, read_settings

__all__ = ["find_provider", "probe", "provider_names"]

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
