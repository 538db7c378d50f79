"""
The hooks: where the recorder listens. Each module has `install()` and `remove()`.

By default: SQLAlchemy's pool and session events, a few wrapped functions, and nothing that sets `_has_events` on an
engine, which would cost every statement 50 µs and more for as long as the engine lives. `statements` is the
exception, and is asked for.
"""

from __future__ import annotations

from types import ModuleType

from labkit.recorder.hooks import engines, factories, forks, loops, nesting, pools, primitives, redis, sessions

__all__ = ["install", "remove"]

_HOOKS: tuple[ModuleType, ...] = (
    engines,
    pools,
    sessions,
    factories,
    loops,
    primitives,
    nesting,
    redis,
    forks,
)


def install() -> None:
    """Listen to everything."""
    for module in _HOOKS:
        module.install()


def remove() -> None:
    """Listen to nothing, and leave every library as it was."""
    for module in reversed(_HOOKS):
        module.remove()
