"""An asyncmy engine whose connections do nothing: SQLAlchemy's own pool, sessions and greenlets, and no server."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

__all__ = ["stub_engine"]


class Connection:
    """What the pool asks of a connection."""

    driver_connection: Any = None

    def rollback(self) -> None:
        pass

    def commit(self) -> None:
        pass

    def close(self) -> None:
        pass

    def terminate(self) -> None:
        pass


def stub_engine(**options: Any) -> AsyncEngine:
    """Return an engine whose connections do nothing; statements can't be sent through it."""
    return create_async_engine("mysql+asyncmy://nowhere/stub", creator=Connection, _initialize=False, **options)
