"""Storing: SQLite calls this for each value that a statement writes; it converts, checks, numbers and counts."""

from __future__ import annotations

import sqlite3

from labkit.services.embedded.catalog import Catalog
from labkit.services.embedded.faults import SqlFault
from labkit.services.embedded.sqltypes import Stored

__all__ = ["Storing"]


class Storing:
    """Remember of the running statement what MySQL tells of it: numbers given out, rows found, the row at fault."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.begin_statement()

    def begin_statement(self) -> None:
        """Forget the statement before."""
        self.row: dict[str, Stored] = {}  # the values stored last: an integrity error is about them
        self.row_number = 0
        self.generated = 0  # the first number given out
        self.numbered = False  # whether a number was given out, be it in vain
        self.next_before: int | None = None  # the table's next number before this statement, if it gives any
        self.given: dict[int, int] = {}  # the numbers that rows brought with them
        self.chosen = 0  # the last number that the statement chose itself
        self.upserts = [0, 0]  # rows that an upsert found and left as they were, and changed
        self.fault: SqlFault | None = None

    def install(self, db: sqlite3.Connection) -> None:
        """Give SQLite the functions that translated statements call."""
        db.create_function("store", 3, self.store)
        db.create_function("store_number", 3, self.store_number)
        db.create_function("count_upsert", 2, self.count_upsert)
        db.create_function("fail", 3, self.fail)

    def store(self, place: str, value: Stored, row: int) -> Stored:
        """Return a value as its column's type keeps it."""
        self.row_number = row
        table, _, name = place.partition(".")
        column = self._catalog.tables[table].column(name)
        assert column is not None
        try:
            kept = column.type.store(value, column.name, row)
        except SqlFault as fault:
            self.fault = fault  # SQLite says only that a function has failed
            raise
        if kept is None and not column.nullable and not column.auto_increment:
            self.fail(1048, f"Column '{name}' cannot be null", row)
        self.row[column.name] = kept
        return kept

    def fail(self, number: int, text: str, row: int) -> None:
        """End the statement with a fault."""
        self.row_number = row
        self.fault = SqlFault(int(number), text)
        raise self.fault

    def store_number(self, place: str, value: Stored, row: int) -> Stored:
        """Return the number of a row: the statement's own, or, for NULL and 0, the table's next."""
        table, _, name = place.partition(".")
        number = self.store(place, value, row)
        if self.next_before is None:
            self.next_before = self._catalog.peek_number(table)
        if number:
            self.chosen = self.given[row] = int(number)
            self._catalog.skip_number(table, self.chosen)
        else:
            try:
                number = self._catalog.next_number(table)
            except SqlFault as fault:
                self.fault = fault
                raise
            self.generated = self.generated or number
            self.numbered = True
        self.row[name] = number
        return number

    def count_upsert(self, changes: int, number: int) -> int:
        """Count a row that was there already, and return whether it changes; its number is the insert id then."""
        self.upserts[bool(changes)] += 1
        self.generated = 0
        self.chosen = number if changes else 0
        return changes
