"""
BUG: a forked child goes on with the connections of its parent.

Symptom: a worker or its parent gets `Lost connection to MySQL server`, the answer to the other one's question, or
none at all: two processes read and write on one socket.

Sources: https://github.com/sqlalchemy/sqlalchemy/issues/7815, https://github.com/benoitc/gunicorn/issues/1953
"""

from __future__ import annotations

from labkit.engine import Engine

__all__ = ["ForkedPool"]


class ForkedPool(Engine):
    """The correct engine, but for one seam."""

    def check_process(self) -> None:
        """Refuse any process but the one that opened this engine."""
        # "A fork copies everything, so the child has connections of its own."
