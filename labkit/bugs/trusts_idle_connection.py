"""
BUG: a connection is given out of the pool without asking whether it still answers.

Symptom: the first read after a quiet night fails with `Lost connection to MySQL server` or `MySQL server has gone
away`, the second works.

Sources: https://github.com/apache/airflow/pull/65276, https://github.com/long2ice/asyncmy/issues/27
"""

from __future__ import annotations

from typing import Any

from labkit.engine import Engine

__all__ = ["TrustsIdleConnection"]


class TrustsIdleConnection(Engine):
    """The correct engine, but for one seam."""

    @staticmethod
    def check_connection(connection: Any, idle: float, ping_after: float) -> None:
        """Test a connection that has been idle before it is given out; one that does not answer is replaced."""
        # "It answered a minute ago, and a ping for every read is a round trip for nothing."
