"""Engines: their birth and their disposal."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from sqlalchemy.engine import Engine

from labkit.recorder.patching import Patches, hook

__all__ = ["install", "remove"]

_patches = Patches()


def install() -> None:
    """Hear of engines that are made and disposed of."""
    _patches.wrap(Engine, "__init__", _init)
    _patches.wrap(Engine, "dispose", _dispose)


remove = _patches.remove


@hook
def engine_made(trackers: Any, engine: Any) -> None:
    trackers.engines.made(engine)


@hook
def engine_disposed(trackers: Any, engine: Any) -> None:
    trackers.engines.disposed(engine)


def _init(original: Any) -> Any:
    # SQLAlchemy reads off the parameters of this function which options `create_engine` takes (`echo`, …): the
    # wrapper must have the same ones, and not *args and **kwargs.
    signature = inspect.signature(original)
    names = [
        f"{name}=defaults[{name!r}]" if each.default is not each.empty else name
        for name, each in signature.parameters.items()
    ]
    given = {name: each.default for name, each in signature.parameters.items()}
    source = f"def __init__({', '.join(names)}):\n original({', '.join(given)})\n engine_made(self)\n"
    namespace = {"original": original, "engine_made": engine_made, "defaults": given}
    exec(source, namespace)
    return functools.wraps(original)(namespace["__init__"])


def _dispose(original: Any) -> Any:
    @functools.wraps(original)
    def dispose(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        engine_disposed(self)

    return dispose
