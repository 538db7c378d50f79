"""Where MySQL and Redis come from: five providers behind one async context manager."""

from __future__ import annotations

from labkit.services.services import ALL_CAPABILITIES, Capability, Services

__all__ = ["ALL_CAPABILITIES", "Capability", "Services"]
