"""Writes: INSERT, UPDATE and DELETE rewritten for SQLite, each value kept as its column's type keeps it."""

from __future__ import annotations

from sqlglot import exp

from labkit.embedded.expressions import Scope, call, exact, place, typed
from labkit.embedded.queries import Plan, base_table, only, render
from labkit.embedded.schema import Catalog, Column, Table
from labkit.embedded.values import SqlFault, refuse

__all__ = ["delete", "insert", "update"]


def insert(node: exp.Insert, catalog: Catalog) -> Plan:
    """Plan an INSERT with values, or with ON DUPLICATE KEY UPDATE."""
    only(node, "this", "expression", "conflict")
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    base_table(target, catalog)
    table = catalog.table(target.name)
    names = [i.name for i in node.this.expressions] if isinstance(node.this, exp.Schema) else []
    given = [_known(table, name) for name in names] or list(table.columns)
    for at, column in enumerate(given):
        if column in given[:at]:
            raise SqlFault(1110, f"Column '{column.name}' specified twice")
    if node.expression is None:
        raise SqlFault(1064, "You have an error in your SQL syntax: INSERT needs values")
    if not isinstance(node.expression, exp.Values):
        raise refuse("INSERT … SELECT")
    rows = [list(row.expressions) for row in node.expression.expressions]
    if not names and rows == [[]]:
        given = []
    # MySQL stores and checks the statement's own values first, in their order; it numbers the row at the end.
    columns = [*given, *(column for column in table.columns if column not in given)]
    columns.sort(key=lambda column: column.auto_increment)
    values = [_row(table, columns, given, row, number) for number, row in enumerate(rows, 1)]
    # SQLite works out the values of a single row in the order of the table, those of a SELECT in its own.
    body = f"VALUES {', '.join(f'({row})' for row in values)}" if len(values) > 1 else f"SELECT {values[0]} WHERE 1"
    shown = ", ".join(f"`{c.name}`" for c in columns)
    conflict = _conflict(node, table, given, catalog)
    return Plan(f"INSERT INTO `{table.name}` ({shown}) {body}{conflict}", locks=True, table=table.name,
                kind="upsert" if conflict else "insert", given=frozenset(c.name for c in given),
                rows=len(rows))  # fmt: skip


def _known(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise SqlFault(1054, f"Unknown column '{name}' in 'field list'")
    return column


def _row(table: Table, columns: list[Column], given: list[Column], row: list[exp.Expr], number: int) -> str:
    if len(row) != len(given):
        raise SqlFault(1136, f"Column count doesn't match value count at row {number}")
    values = {c.name: v for c, v in zip(given, row, strict=True) if v.name.upper() != "DEFAULT" or v.key != "var"}
    return ", ".join(_stored(table, column, values.get(column.name), number) for column in columns)


def _stored(table: Table, column: Column, value: exp.Expr | None, number: int) -> str:
    """Return the SQL that gives one column of a new row its value: the statement's, the default, or a number."""
    if value is not None:
        value = _rewritten(value, Scope(Catalog()))
    elif column.default_now is not None:
        value = place(f"now_{column.default_now}")
    elif column.default is not None:
        value = exp.Literal.string(column.default)
    elif not column.nullable and not column.auto_increment:
        text = f"Field '{column.name}' doesn't have a default value"
        return render(call("fail", "1364", text, exp.Literal.number(number)))
    return _keep(table, column, value or exp.Null(), number)


def _rewritten(value: exp.Expr, scope: Scope) -> exp.Expr:
    holder = exp.Paren(this=value.copy())
    typed(holder.this, scope)
    return exact(holder.this)


def _keep(table: Table, column: Column, value: exp.Expr, number: int = 1) -> str:
    """Return the SQL that turns a value into what the column's type keeps."""
    name = "store_number" if column.auto_increment else "store"
    return render(call(name, f"{table.name}.{column.name}", value, exp.Literal.number(number)))


def _conflict(node: exp.Insert, table: Table, given: list[Column], catalog: Catalog) -> str:
    conflict = node.args.get("conflict")
    if conflict is None:
        return ""
    names = {column.name for column in given}
    if sum(index.unique and set(index.columns) <= names for index in table.indexes) > 1:
        raise refuse("ON DUPLICATE KEY UPDATE with several unique keys")
    if len(node.expression.expressions) > 1 and table.auto_increment is not None:
        raise refuse("ON DUPLICATE KEY UPDATE of several rows in a table that numbers its rows")
    alias = node.expression.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        raise refuse("names for the columns of a new row")
    scope = _scope(table, catalog)
    scope.add("excluded", base_table(exp.to_table(table.name), catalog))
    for column in conflict.find_all(exp.Column):
        if alias is not None and column.table == alias.name:
            column.set("table", exp.to_identifier("excluded"))
        elif not column.table:
            column.set("table", exp.to_identifier(table.name))
    for old in list(conflict.find_all(exp.Anonymous)):
        if old.name.upper() == "VALUES":
            old.replace(exp.column(old.expressions[0].name, table="excluded"))
    sets, changed = _assignments(table, conflict.expressions, scope)
    number = f"`{table.name}`.`{table.auto_increment.name}`" if table.auto_increment else "0"
    return f" ON CONFLICT DO UPDATE SET {sets} WHERE count_upsert({changed}, {number})"


def _scope(table: Table, catalog: Catalog) -> Scope:
    scope = Scope(catalog)
    scope.add(table.name, base_table(exp.to_table(table.name), catalog))
    return scope


def _assignments(table: Table, items: list[exp.Expr], scope: Scope) -> tuple[str, str]:
    """Return the SET clause, and the condition under which it changes anything."""
    sets, changes, seen = [], [], set()
    for item in items:
        column = _known(table, item.this.name)
        if isinstance(item.expression, exp.Column) and item.expression.sql().upper() == "DEFAULT":
            raise refuse("SET … = DEFAULT")
        if column.name.lower() in seen:
            raise refuse("SET of a column twice")
        if any(c.name.lower() in seen and c.table != "excluded" for c in item.expression.find_all(exp.Column)):
            raise refuse("SET of a column by another that the same statement has set before")
        value = _keep(table, column, _rewritten(item.expression, scope))
        seen.add(column.name.lower())
        sets.append(f"`{column.name}` = {value}")
        changes.append(f"`{table.name}`.`{column.name}` COLLATE BINARY IS NOT {value}")
    return ", ".join(sets), " OR ".join(changes)


def update(node: exp.Update, catalog: Catalog, *, count_found: bool) -> Plan:
    """Plan an UPDATE; unless `count_found`, rows that would stay as they are aren't touched and aren't counted."""
    only(node, "this", "expressions", "where")
    table = _target(node, catalog)
    scope = _scope(table, catalog)
    sets, changed = _assignments(table, node.expressions, scope)
    given = frozenset(_known(table, item.this.name).name for item in node.expressions)
    where = node.args.get("where")
    finds_one_row = where is not None and any(
        isinstance(where.this, exp.EQ)
        and isinstance(where.this.this, exp.Column)
        and (where.this.this.name,) == key
        for key in table.row_keys
    )
    condition = _condition(node, scope)
    if not count_found:
        condition = f"({condition}) AND ({changed})"
    return Plan(f"UPDATE `{table.name}` SET {sets} WHERE {condition}", locks=True, table=table.name, kind="update",
                given=given, rows=int(finds_one_row))  # fmt: skip


def delete(node: exp.Delete, catalog: Catalog) -> Plan:
    """Plan a DELETE."""
    only(node, "this", "where")
    table = _target(node, catalog)
    condition = _condition(node, _scope(table, catalog))
    return Plan(f"DELETE FROM `{table.name}` WHERE {condition}", locks=True, table=table.name, kind="delete")


def _target(node: exp.Expr, catalog: Catalog) -> Table:
    if not isinstance(node.this, exp.Table):
        raise refuse(f"{node.key.upper()} of several tables")
    only(node.this, "this", "db")
    base_table(node.this, catalog)
    if any(table is not node.this and table.name == node.this.name for table in node.find_all(exp.Table)):
        raise refuse(f"{node.key.upper()} with a query on the table itself")
    return catalog.table(node.this.name)


def _condition(node: exp.Expr, scope: Scope) -> str:
    where = node.args.get("where")
    if where is None:
        return "1"
    typed(where.this, scope)
    return render(where.this)
