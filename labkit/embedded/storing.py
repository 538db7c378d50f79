"""
What one statement writes: SQLite calls this for each value, which is converted, checked, numbered and counted.

After a statement that failed it is here that SQLite's error becomes MySQL's. MySQL looks at everything of one row
before the next one, and at its keys in their order; where SQLite can't tell what MySQL would have found first, the
statement is refused.
"""

from __future__ import annotations

import re
import sqlite3

from labkit.embedded.queries import Plan
from labkit.embedded.schema import DATABASE, Catalog, ForeignKey, Table
from labkit.embedded.values import REFUSED, SqlFault, Stored, refuse

__all__ = ["Storing"]


class Storing:
    """Remember of the running statement what MySQL tells of it: numbers given out, rows found, the row at fault."""

    def __init__(self, catalog: Catalog, db: sqlite3.Connection) -> None:
        self._catalog = catalog
        self._db = db
        self.begin_statement()
        db.create_function("store", 3, self._store)
        db.create_function("store_number", 3, self._store_number)
        db.create_function("count_upsert", 2, self._count_upsert)
        db.create_function("fail", 3, self._fail)

    def begin_statement(self) -> None:
        """Forget the statement before."""
        self.generated = 0  # the first number given out
        self.chosen = 0  # the last number that the statement chose itself
        self._row: dict[str, Stored] = {}  # the values stored last: an integrity error is about them
        self._row_number = 0
        self._numbered = False  # whether a number was given out, be it in vain
        self._next_before: int | None = None  # the table's next number before this statement, if it gives any
        self._given: dict[int, int] = {}  # the numbers that rows brought with them
        self._upserts = [0, 0]  # rows that an upsert found and left as they were, and changed
        self._fault: SqlFault | None = None  # SQLite says only that a function has failed

    def affected(self, plan: Plan, changed: int, *, count_found: bool) -> int:
        """Return the count of a write as MySQL counts: an upsert that changes a row counts twice."""
        same, updated = self._upserts
        return changed + updated + (same if count_found else 0) if plan.kind == "upsert" else max(changed, 0)

    # ------------------------------------------------------- called by SQLite

    def _store(self, place: str, value: Stored, row: int) -> Stored:
        """Return a value as its column's type keeps it."""
        self._row_number = row
        table, _, name = place.partition(".")
        column = self._catalog.tables[table].column(name)
        assert column is not None
        try:
            kept = column.type.keep(value, column.name, row)
        except SqlFault as fault:
            self._fault = fault
            raise
        if kept is None and not column.nullable and not column.auto_increment:
            self._fail(1048, f"Column '{name}' cannot be null", row)
        self._row[column.name] = kept
        return kept

    def _fail(self, number: int, text: str, row: int) -> None:
        self._row_number = row
        self._fault = SqlFault(int(number), text)
        raise self._fault

    def _store_number(self, place: str, value: Stored, row: int) -> Stored:
        """Return the number of a row: the statement's own, or, for NULL and 0, the table's next."""
        table, _, name = place.partition(".")
        number = self._store(place, value, row)
        if self._next_before is None:
            self._next_before = self._catalog.peek_number(table)
        if number:
            self.chosen = self._given[row] = int(number)
            self._catalog.skip_number(table, self.chosen)
        else:
            try:
                number = self._catalog.next_number(table)
            except SqlFault as fault:
                self._fault = fault
                raise
            self.generated = self.generated or number
            self._numbered = True
        self._row[name] = number
        return number

    def _count_upsert(self, changes: int, number: int) -> int:
        """Count a row that was there already, and return whether it changes; its number is the insert id then."""
        self._upserts[bool(changes)] += 1
        self.generated = 0
        self.chosen = number if changes else 0
        return changes

    # ------------------------------------------- of a statement that has failed

    def explain(self, error: sqlite3.Error, plan: Plan) -> SqlFault:
        """Return the MySQL error that says what SQLite's says, and number the next rows as MySQL does after it."""
        fault = self._explain(error, plan)
        if self._next_before is not None:
            self._number_again(plan, fault, self._next_before)
        return fault

    def _number_again(self, plan: Plan, fault: SqlFault, before: int) -> None:
        self._catalog.restart_numbers(plan.table, before)
        first, self.generated = self.generated, 0
        if fault.number == REFUSED:
            return
        # Rows before the wrong one were written and taken back; of the others MySQL numbers a duplicate only, and
        # those that came with it.
        for row, given in self._given.items():
            if row < self._row_number:
                self._catalog.skip_number(plan.table, given)
        if self._numbered and (fault.number == 1062 or plan.rows > 1):
            self._catalog.restart_numbers(plan.table, before + plan.rows)
            self.generated = first if self._row_number > 1 else 0

    def _explain(self, error: sqlite3.Error, plan: Plan) -> SqlFault:
        text = str(error)
        if text == "interrupted":
            return SqlFault(1317, "Query execution was interrupted")
        if re.match(r"no such (table|column)|database schema has changed", text):
            return SqlFault(1412, "Table definition has changed, please retry transaction")
        if plan.rows != 1 and self._depends_on_other_rows(plan):
            return refuse("a write of several rows, of which one is wrong")
        if self._fault is not None:
            return self._fault
        if text.startswith("UNIQUE constraint failed"):
            return self._duplicate(plan)
        if text == "FOREIGN KEY constraint failed":
            return self._foreign_key(plan)
        if found := re.match(r"ambiguous column name: (.*)", text):
            return SqlFault(1052, f"Column '{found[1]}' in field list is ambiguous")
        if "'finalize'" in text:
            return refuse("GROUP BY of texts that differ in case or accents only")
        return refuse(text)

    def _depends_on_other_rows(self, plan: Plan) -> bool:
        if plan.kind == "update":
            numbered = self._fault is not None and " at row " in self._fault.text
            return numbered or len(plan.given) > 1
        if plan.kind == "insert":
            return bool(self._catalog.table(plan.table).foreign_keys or (self._given and self._numbered))
        return plan.kind == "upsert"

    def _duplicate(self, plan: Plan) -> SqlFault:
        table = self._catalog.table(plan.table)
        if plan.kind == "insert" and not all(map(self._has_referred, table.foreign_keys)):
            return self._foreign_key(plan)  # MySQL looks at them first
        referred = {name for _, key in self._catalog.referring(table.name) for name in key.referred}
        if plan.kind == "update" and plan.given & referred:
            return refuse("UPDATE of a key that other rows have and refer to")
        indexes = [i for i in table.indexes if i.unique and (plan.kind == "insert" or plan.given & set(i.columns))]
        if len(indexes) > 1 and plan.kind == "insert":
            # MySQL names the first of its indexes that has the row, SQLite the last.
            indexes = [i for i in indexes if self._has_row(table.name, i.columns, i.columns)][:1]
        if len(indexes) != 1 or (plan.kind != "insert" and len(indexes[0].columns) > 1):
            return refuse("a write that more than one unique key may have stopped")
        shown = "-".join(_shown(self._row.get(column)) for column in indexes[0].columns)
        return SqlFault(1062, f"Duplicate entry '{shown}' for key '{table.name}.{indexes[0].name}'")

    def _foreign_key(self, plan: Plan) -> SqlFault:
        table = self._catalog.table(plan.table)
        own = [(table, key) for key in table.foreign_keys if set(key.columns) & plan.given]
        if plan.kind == "insert" and plan.rows == 1:
            own = [(table, key) for table, key in own if not self._has_referred(key)]
            own = sorted(own, key=lambda each: each[1].name)[:1]
        others = [
            (t, key) for t, key in self._catalog.referring(table.name) if plan.kind == "update" or not key.actions
        ]
        if plan.kind != "delete":
            others = [(t, key) for t, key in others if plan.given & set(key.referred)]
        keys = others if plan.kind == "delete" else own if plan.kind != "update" else own + others
        number, what = (1451, "delete or update a parent") if keys == others else (1452, "add or update a child")
        if len(keys) != 1:
            return refuse("a statement that more than one foreign key may have stopped")
        return SqlFault(number, f"Cannot {what} row: a foreign key constraint fails ({_written(*keys[0])})")

    def _has_referred(self, key: ForeignKey) -> bool:
        """Return True if the row written last names no row by `key`, or one that exists."""
        if any(self._row.get(name) is None for name in key.columns):
            return True
        return self._has_row(key.table, key.referred, key.columns)

    def _has_row(self, table: str, columns: tuple[str, ...], written: tuple[str, ...]) -> bool:
        """Return True if a row of `table` has in `columns` what the row written last has in `written`."""
        condition = " AND ".join(f"`{name}` = ?" for name in columns)
        values = [self._row.get(name) for name in written]
        return self._db.execute(f"SELECT 1 FROM `{table}` WHERE {condition}", values).fetchone() is not None


def _shown(value: Stored) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return re.sub("[\U00010000-\U0010ffff]", "?", text)  # MySQL's messages have no such letters


def _written(table: Table, key: ForeignKey) -> str:
    def names(columns: tuple[str, ...]) -> str:
        return ", ".join(f"`{c}`" for c in columns)

    return (
        f"`{DATABASE}`.`{table.name}`, CONSTRAINT `{key.name}` FOREIGN KEY ({names(key.columns)}) "
        f"REFERENCES `{key.table}` ({names(key.referred)}){key.actions}"
    )
