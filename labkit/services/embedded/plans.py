"""Plans: a statement translated once, kept by its shape, and run again with other values."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import ErrorLevel

from labkit.services.embedded.sqltypes import SqlType

__all__ = ["Plan", "PlanCache", "render"]


@dataclass(frozen=True)
class Plan:
    """
    Hold one statement as SQLite runs it, and what is needed to answer as MySQL does.

    `columns` are the result's, None for a statement that gives no rows. `reads` are the tables that a query
    reads, `locks` says that rows are locked or changed. `table` is the one that is written to, `given` those of
    its columns that the statement itself fills, `rows` how many rows it writes at most, 0 for any number. `sleep`
    is the argument of SLEEP(), `information` a query on the information schema.
    """

    sql: str
    columns: tuple[tuple[str, SqlType], ...] | None = None
    locks: bool = False
    reads: frozenset[str] = field(default_factory=frozenset)
    table: str = ""
    kind: str = "select"
    given: frozenset[str] = field(default_factory=frozenset)
    rows: int = 0
    sleep: exp.Expr | None = None
    information: exp.Expr | None = None
    version: int = 0


class PlanCache:
    """Keep the plans used last, each as long as no table changes."""

    def __init__(self, size: int = 1000) -> None:
        self._plans: OrderedDict[tuple[str, bool], Plan] = OrderedDict()
        self._size = size

    def get(self, key: tuple[str, bool], version: int) -> Plan | None:
        """Return the plan under `key`, unless tables have changed since."""
        plan = self._plans.get(key)
        if plan is None or plan.version != version:
            return None
        self._plans.move_to_end(key)
        return plan

    def put(self, key: tuple[str, bool], plan: Plan) -> None:
        """Keep a plan, and forget the one unused for longest."""
        self._plans[key] = plan
        if len(self._plans) > self._size:
            self._plans.popitem(last=False)


class Backend(SQLite):
    """SQLite's dialect with names in backticks: in double quotes an unknown name would silently become a text."""

    class Tokenizer(SQLite.Tokenizer):
        """Quote names as MySQL does."""

        IDENTIFIERS = ["`"]  # noqa: RUF012


def render(node: exp.Expr) -> str:
    """Return a rewritten statement as SQLite's SQL."""
    return node.sql(Backend, identify=True, comments=False, unsupported_level=ErrorLevel.IGNORE)
