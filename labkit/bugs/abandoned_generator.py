"""
BUG: the connection of a read comes out of an async generator, which is left in the middle and never closed.

Symptom: the read has its row and its connection is still out, until the loop comes round to end the generator in
another task.

Sources: https://github.com/python/cpython/issues/88684, https://github.com/sqlalchemy/sqlalchemy/issues/9663
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection

from labkit.engine import Engine, Key, Values, select_by

__all__ = ["AbandonedGenerator"]


class AbandonedGenerator(Engine):
    """The correct engine, but for one seam."""

    async def read(self, key: Key) -> Values | None:
        """Read one row from the database as it is now."""

        async def connections() -> AsyncIterator[AsyncConnection]:
            async with self.reader.connect() as connection:
                yield connection

        async for connection in connections():
            parameters = dict(zip(key.names, key.values, strict=True))
            row = (await connection.execute(select_by(key.model, key.names), parameters)).first()
            # "There is no second one in it, so this is its end."
            break
        return None if row is None else tuple(row)
