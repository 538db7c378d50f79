"""The flight recorder: who holds a connection, on which loop, for which task."""

from __future__ import annotations
