"""Where a notebook finds its servers: those that were started for it, or else its own."""

from __future__ import annotations

import atexit
import functools
import json
import os
from contextlib import ExitStack, suppress
from typing import Any

from labkit.services import Capability, Services, isolated_services, services_in_thread

__all__ = ["environment_for_kernels", "get_services"]

DESCRIPTION = "LABKIT_SERVICES"


def environment_for_kernels(services: Services) -> dict[str, str]:
    """Return the variables by which `get_services` in a kernel finds `services`, and knows what they can do."""
    described = {
        "provider": services.provider,
        "versions": dict(services.versions),
        "capabilities": sorted(services.capabilities),
    }
    return services.environment() | {DESCRIPTION: json.dumps(described)}


@functools.cache
def get_services() -> Services:
    """
    Return running services, the same ones at every call, which no other kernel uses.

    `labkit lab` and `labkit run` start servers and say where they are in the environment; so do you, with
    LABKIT_DATABASE_URL and LABKIT_REDIS_URL. This kernel gets its own schema there (`isolate`). Otherwise the
    provider that LABKIT_PROVIDER names, or the embedded one, is started in a thread and lives as long as this
    kernel. Raises `CannotStart` or `Unreachable`.
    """
    held = ExitStack()
    atexit.register(_end, held)
    if DESCRIPTION in os.environ:
        shared = _described(json.loads(os.environ[DESCRIPTION]))
    elif os.environ.get("LABKIT_DATABASE_URL") and os.environ.get("LABKIT_REDIS_URL"):
        shared = held.enter_context(services_in_thread("url"))
    else:
        return held.enter_context(services_in_thread())
    return held.enter_context(isolated_services(shared))


def _end(held: ExitStack) -> None:
    # At exit Python lends no more threads, which the embedded servers would end in; they end with the process.
    with suppress(RuntimeError):
        held.close()


def _described(described: dict[str, Any]) -> Services:
    return Services(
        described["provider"],
        os.environ["LABKIT_DATABASE_URL"],
        os.environ["LABKIT_REDIS_URL"],
        versions=described["versions"],
        capabilities=frozenset(map(Capability, described["capabilities"])),
    )
