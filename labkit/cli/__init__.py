"""The `labkit` command: parse, call, print; the work is done elsewhere."""

from __future__ import annotations

from labkit.cli.app import main

__all__ = ["main"]
