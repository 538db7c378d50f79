"""The tables that exist, as MySQL describes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from labkit.embedded.values import SqlFault, SqlType, refuse

__all__ = ["DATABASE", "Catalog", "Column", "ForeignKey", "Index", "Table", "free_name", "in_order"]

DATABASE = "lab"


@dataclass(frozen=True)
class Column:
    """
    One column. `default` is text, None for none.

    With `default_now` the default is the present time, with so many digits of a second; `default` is then empty, or
    the expression that gives it.
    """

    name: str
    type: SqlType
    nullable: bool = True
    auto_increment: bool = False
    default: str | None = None
    default_now: int | None = None
    comment: str = ""


@dataclass(frozen=True)
class Index:
    """One index; the primary key is the one named PRIMARY."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    parts: tuple[str, ...] = ()  # the columns as they were written: `a`, `a`(10) or `a` DESC
    implicit: bool = False  # made for a foreign key; another index that serves it takes its place


@dataclass(frozen=True)
class ForeignKey:
    """One foreign key: these columns name a row of that table. `actions` is what is said of deleting, as SQL."""

    name: str
    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    actions: str = ""


@dataclass(frozen=True)
class Table:
    """One table; changing it makes another."""

    name: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, whatever its case, or None."""
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)

    @property
    def primary(self) -> tuple[str, ...]:
        """Return the names of the primary key's columns."""
        return next((i.columns for i in self.indexes if i.name == "PRIMARY"), ())

    @property
    def row_keys(self) -> list[tuple[str, ...]]:
        """Return the columns of each unique index that has no NULL: they determine a row."""
        required = {column.name.lower() for column in self.columns if not column.nullable}
        return [i.columns for i in self.indexes if i.unique and {c.lower() for c in i.columns} <= required]

    @property
    def auto_increment(self) -> Column | None:
        """Return the column that numbers itself, or None."""
        return next((c for c in self.columns if c.auto_increment), None)

    def with_index(self, index: Index) -> Table:
        """Return the table with an index more, and without implicit ones that it makes needless."""
        kept = (i for i in self.indexes if not (i.implicit and index.columns[: len(i.columns)] == i.columns))
        return replace(self, indexes=in_order([*kept, index]))


def in_order(indexes: list[Index]) -> tuple[Index, ...]:
    """Return indexes as MySQL lists them: the primary key, then the unique ones, then the others."""
    return tuple(sorted(indexes, key=lambda index: (index.name != "PRIMARY", not index.unique)))


def free_name(name: str, indexes: tuple[Index, ...] | list[Index]) -> str:
    """Return `name` for an index, or `name_2` and so on where there is one already."""
    taken = {index.name.lower() for index in indexes}
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 100))) if n.lower() not in taken)


@dataclass
class Catalog:
    """All tables, and the next number of those that number their rows. It lives in memory."""

    tables: dict[str, Table] = field(default_factory=dict)
    version: int = 0
    database: str = DATABASE
    _numbers: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __iter__(self) -> Iterator[Table]:
        return iter([self.tables[name] for name in sorted(self.tables)])

    def table(self, name: str) -> Table:
        """Return the table of that name; table names have a case, as with MySQL on Linux."""
        if name not in self.tables:
            raise SqlFault(1146, f"Table '{self.database}.{name}' doesn't exist")
        return self.tables[name]

    def put(self, table: Table) -> None:
        """Add a table, or put a changed one in its old self's place."""
        self.tables = {**self.tables, table.name: table}
        self.version += 1

    def drop(self, *names: str) -> None:
        """Forget tables and their numbers."""
        self.tables = {n: t for n, t in self.tables.items() if n not in names}
        self._numbers = {name: number for name, number in self._numbers.items() if name not in names}
        self.version += 1

    def next_number(self, table: str) -> int:
        """Give out the table's next number. A rolled-back INSERT leaves a gap, as with MySQL."""
        column = self.tables[table].auto_increment
        with self._lock:
            number = self.peek_number(table)
            if column is not None and number > column.type.largest:
                raise refuse(f"numbering a row that comes after {column.type.largest}")
            self._numbers[table] = number + 1
            return number

    def skip_number(self, table: str, number: int) -> None:
        """Note that a statement chose `number` itself: later numbers are greater."""
        with self._lock:
            self._numbers[table] = max(self.peek_number(table), number + 1)

    def restart_numbers(self, name: str, number: int) -> None:
        """Number the table's next rows from `number` on."""
        self._numbers[name] = number

    def peek_number(self, table: str) -> int:
        """Return the number that the table's next row would get."""
        return self._numbers.get(table, 1)

    def referring(self, name: str) -> list[tuple[Table, ForeignKey]]:
        """Return the foreign keys of other tables that name this one."""
        return [(t, key) for t in self for key in t.foreign_keys if key.table == name and t.name != name]
