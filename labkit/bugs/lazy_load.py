"""
BUG: relationships are loaded when somebody looks at them.

Symptom: `message.author` fails with `MissingGreenlet`, which SQLAlchemy wraps in a `StatementError`, though every
line with an `await` went well; after the block it is `DetachedInstanceError`.

Sources: https://github.com/sqlalchemy/sqlalchemy/issues/6164, https://github.com/sqlalchemy/sqlalchemy/issues/9627
"""

from __future__ import annotations

from sqlalchemy.orm import lazyload
from sqlalchemy.orm.interfaces import ORMOption

from labkit.engine import Engine

__all__ = ["LazyLoad"]


class LazyLoad(Engine):
    """The correct engine, but for one seam."""

    def loading(self) -> ORMOption:
        """Return how relationships are loaded: never behind the caller's back."""
        # "Most callers never look at them, so they are read only when somebody does."
        return lazyload("*")
