"""Writes: INSERT, UPDATE and DELETE rewritten for SQLite, each value kept as its column's type keeps it."""

from __future__ import annotations

from sqlglot import exp

from labkit.services.embedded.catalog import Catalog, Column, Table
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.plans import Plan, render
from labkit.services.embedded.queries import Scope, base_table, query
from labkit.services.embedded.rewriting import call, exact, typed

__all__ = ["delete", "insert", "update"]


def insert(node: exp.Insert, catalog: Catalog) -> Plan:
    """Plan an INSERT: with values, from a SELECT, or with ON DUPLICATE KEY UPDATE."""
    _only(node, "this", "expression", "conflict")
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    base_table(target, catalog)
    table = catalog.table(target.name)
    names = [i.name for i in node.this.expressions] if isinstance(node.this, exp.Schema) else []
    given = [_known(table, name) for name in names] or list(table.columns)
    for at, column in enumerate(given):
        if column in given[:at]:
            raise SqlFault(1110, f"Column '{column.name}' specified twice")
    source = node.expression
    rows: list[list[exp.Expr]] = []
    if source is None:
        raise SqlFault(1064, "You have an error in your SQL syntax: INSERT needs values")
    if not isinstance(source, exp.Values) and table.auto_increment not in (None, *given):
        raise refuse("INSERT … SELECT into a table that numbers its rows")
    if isinstance(source, exp.Values):
        rows = [list(r.expressions) for r in source.expressions]
        if not names and rows == [[]]:
            given = []
        values = [_row(table, given, row, n, catalog) for n, row in enumerate(rows, 1)]
        # SQLite works out the values of a single row in the order of the table, those of a SELECT in its own.
        body = f"VALUES {', '.join(values)}" if len(values) > 1 else f"SELECT {values[0][1:-1]} WHERE 1"
    else:
        body = _selected(table, given, source, catalog)
    columns = ", ".join(f"`{c.name}`" for c in _in_order(table, given))
    conflict = _conflict(node, table, given, catalog)
    return Plan(
        f"INSERT INTO `{table.name}` ({columns}) {body}{conflict}",
        locks=True,
        table=table.name,
        kind="upsert" if node.args.get("conflict") else "insert",
        given=frozenset(c.name for c in given),
        rows=len(rows) if isinstance(source, exp.Values) else 0,
    )


def _in_order(table: Table, given: list[Column]) -> list[Column]:
    # MySQL stores and checks the statement's own values first, in their order; it numbers the row at the end.
    columns = [*given, *(column for column in table.columns if column not in given)]
    return sorted(columns, key=lambda column: column.auto_increment)


def _known(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise SqlFault(1054, f"Unknown column '{name}' in 'field list'")
    return column


def _row(table: Table, given: list[Column], row: list[exp.Expr], number: int, catalog: Catalog) -> str:
    if len(row) != len(given):
        raise SqlFault(1136, f"Column count doesn't match value count at row {number}")
    values = {c.name: v for c, v in zip(given, row, strict=True) if v.name.upper() != "DEFAULT" or v.key != "var"}
    stored = (_stored(table, c, values.get(c.name), number, Scope(catalog)) for c in _in_order(table, given))
    return f"({', '.join(stored)})"


def _stored(table: Table, column: Column, value: exp.Expr | None, number: int, scope: Scope) -> str:
    """Return the SQL that gives one column of a new row its value: the statement's, the default, or a number."""
    if value is not None:
        holder = exp.Paren(this=value.copy())
        typed(holder.this, scope)
        value = exact(holder.this)
    elif column.default_now:
        value = exp.Placeholder(this=f"now_{column.type.scale}")
    elif column.default is not None:
        value = exp.Literal.string(column.default)
    elif not column.nullable and not column.auto_increment:
        text = f"Field '{column.name}' doesn't have a default value"
        return render(call("fail", "1364", text, exp.Literal.number(number)))
    return keep(table, column, value or exp.Null(), number)


def keep(table: Table, column: Column, value: exp.Expr, number: int = 1) -> str:
    """Return the SQL that turns a value into what the column's type keeps."""
    name = "store_number" if column.auto_increment else "store"
    return render(call(name, f"{table.name}.{column.name}", value, exp.Literal.number(number)))


def _selected(table: Table, given: list[Column], source: exp.Expr, catalog: Catalog) -> str:
    columns = query(source, catalog)
    if len(columns) != len(given):
        raise SqlFault(1136, "Column count doesn't match value count at row 1")
    places = {c.name: f"c{n}" for n, c in enumerate(given)}
    chosen = (
        keep(table, c, exp.column(places[c.name]))
        if c.name in places
        else _stored(table, c, None, 1, Scope(catalog))
        for c in _in_order(table, given)
    )
    names = ", ".join(places.values())
    return (
        f"SELECT {', '.join(chosen)} FROM (WITH chosen({names}) AS ({render(source)}) SELECT * FROM chosen) WHERE 1"
    )


def _conflict(node: exp.Insert, table: Table, given: list[Column], catalog: Catalog) -> str:
    source, conflict = node.expression, node.args.get("conflict")
    if conflict is None:
        return ""
    names = {column.name for column in given}
    if sum(index.unique and set(index.columns) <= names for index in table.indexes) > 1:
        raise refuse("ON DUPLICATE KEY UPDATE with several unique keys")
    alias = source.args.get("alias")
    scope = Scope(catalog)
    scope.add(table.name, base_table(exp.to_table(table.name), catalog))
    scope.add("excluded", base_table(exp.to_table(table.name), catalog))
    for column in conflict.find_all(exp.Column):
        if alias is not None and column.table == alias.name:
            column.set("table", exp.to_identifier("excluded"))
        elif not column.table:
            column.set("table", exp.to_identifier(table.name))
    for old in list(conflict.find_all(exp.Anonymous)):
        if old.name.upper() == "VALUES":
            old.replace(exp.column(old.expressions[0].name, table="excluded"))
    sets, changed = assignments(table, conflict.expressions, scope)
    number = f"`{table.name}`.`{table.auto_increment.name}`" if table.auto_increment else "0"
    return f" ON CONFLICT DO UPDATE SET {sets} WHERE count_upsert({changed}, {number})"


def assignments(table: Table, items: list[exp.Expr], scope: Scope) -> tuple[str, str]:
    """Return the SET clause, and the condition under which it changes anything."""
    sets, changes, seen = [], [], set()
    for item in items:
        column = _known(table, item.this.name)
        if isinstance(item.expression, exp.Column) and item.expression.sql().upper() == "DEFAULT":
            raise refuse("SET … = DEFAULT")
        if column.name.lower() in seen:
            raise refuse("SET of a column twice")
        holder = exp.Paren(this=item.expression.copy())
        if any(c.name.lower() in seen and c.table != "excluded" for c in holder.find_all(exp.Column)):
            raise refuse("SET of a column by another that the same statement has set before")
        typed(holder.this, scope)
        value = keep(table, column, exact(holder.this))
        seen.add(column.name.lower())
        sets.append(f"`{column.name}` = {value}")
        changes.append(f"`{table.name}`.`{column.name}` COLLATE BINARY IS NOT {value}")
    return ", ".join(sets), " OR ".join(changes)


def update(node: exp.Update, catalog: Catalog, *, count_found: bool) -> Plan:
    """Plan an UPDATE; unless `count_found`, rows that would stay as they are aren't touched and aren't counted."""
    _only(node, "this", "expressions", "where")
    table = _target(node, catalog)
    scope = Scope(catalog)
    scope.add(node.this.alias or table.name, base_table(node.this, catalog))
    if node.this.alias:
        raise refuse("UPDATE with an alias")
    sets, changed = assignments(table, node.expressions, scope)
    given = frozenset(_known(table, item.this.name).name for item in node.expressions)
    condition = _condition(node, scope)
    if not count_found:
        condition = f"({condition}) AND ({changed})"
    return Plan(
        f"UPDATE `{table.name}` SET {sets} WHERE {condition}",
        locks=True,
        table=table.name,
        kind="update",
        given=given,
        rows=int(_finds_one_row(node, table)),
    )


def _finds_one_row(node: exp.Update, table: Table) -> bool:
    condition = node.args["where"].this if node.args.get("where") else None
    if not isinstance(condition, exp.EQ) or not isinstance(condition.this, exp.Column):
        return False
    return any(key == (condition.this.name,) for key in table.row_keys)


def delete(node: exp.Delete, catalog: Catalog) -> Plan:
    """Plan a DELETE."""
    _only(node, "this", "where")
    table = _target(node, catalog)
    scope = Scope(catalog)
    scope.add(node.this.alias or table.name, base_table(node.this, catalog))
    return Plan(
        f"DELETE FROM `{table.name}` WHERE {_condition(node, scope)}", locks=True, table=table.name, kind="delete"
    )


def _only(node: exp.Expr, *clauses: str) -> None:
    extra = [key for key, value in node.args.items() if value and key not in clauses]
    if extra:
        raise refuse(f"{node.key.upper()} with {extra[0].rstrip('_').upper()}")


def _target(node: exp.Expr, catalog: Catalog) -> Table:
    if not isinstance(node.this, exp.Table) or node.this.args.get("joins"):
        raise refuse(f"{node.key.upper()} of several tables")
    base_table(node.this, catalog)
    return catalog.table(node.this.name)


def _condition(node: exp.Expr, scope: Scope) -> str:
    where = node.args.get("where")
    if where is None:
        return "1"
    typed(where.this, scope)
    return render(where.this)
