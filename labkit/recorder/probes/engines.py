"""Engines: their birth and their disposal."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy.engine import Engine

from labkit.recorder.taps import Taps, tap

__all__ = ["install", "remove"]

_taps = Taps()


def install() -> None:
    """Hear of engines that are made and disposed of."""
    _taps.wrap(Engine, "__init__", _init)
    _taps.wrap(Engine, "dispose", _dispose)


remove = _taps.remove


@tap
def engine_made(books: Any, engine: Any) -> None:
    books.engines.made(engine)


@tap
def engine_disposed(books: Any, engine: Any) -> None:
    books.engines.disposed(engine)


def _init(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        engine_made(self)

    return __init__


def _dispose(original: Any) -> Any:
    @functools.wraps(original)
    def dispose(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        engine_disposed(self)

    return dispose
