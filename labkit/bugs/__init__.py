"""The deliberately broken engines: each overrides one seam of the correct one."""

from __future__ import annotations

from labkit.bugs.registry_rebuilt import RegistryRebuilt

__all__ = ["RegistryRebuilt"]
