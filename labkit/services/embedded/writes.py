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
    """Plan an INSERT: with values, from a SELECT, IGNORE, or ON DUPLICATE KEY UPDATE."""
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    base_table(target, catalog)
    table = catalog.table(target.name)
    names = [i.name for i in node.this.expressions] if isinstance(node.this, exp.Schema) else []
    given = [_known(table, name) for name in names] or list(table.columns)
    source = node.expression
    if isinstance(source, exp.Values):
        rows = [list(r.expressions) for r in source.expressions]
        if not names and rows == [[]]:
            given = []
        values = ", ".join(_row(table, given, row, n, catalog) for n, row in enumerate(rows, 1))
        body = f"VALUES {values}"
    else:
        body = _selected(table, given, source, catalog)
    columns = ", ".join(f"`{c.name}`" for c in table.columns)
    conflict = _conflict(node, table, source, catalog)
    return Plan(
        f"INSERT INTO `{table.name}` ({columns}) {body}{conflict}",
        locks=True,
        table=table.name,
        kind="upsert" if node.args.get("conflict") else "insert",
        given=frozenset(c.name for c in given),
    )


def _known(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise SqlFault(1054, f"Unknown column '{name}' in 'field list'")
    return column


def _row(table: Table, given: list[Column], row: list[exp.Expr], number: int, catalog: Catalog) -> str:
    if len(row) != len(given):
        raise SqlFault(1136, f"Column count doesn't match value count at row {number}")
    values = {c.name: v for c, v in zip(given, row, strict=True) if v.name.upper() != "DEFAULT" or v.key != "var"}
    return f"({', '.join(_stored(table, c, values.get(c.name), number, Scope(catalog)) for c in table.columns)})"


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
        raise SqlFault(1364, f"Field '{column.name}' doesn't have a default value")
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
        for c in table.columns
    )
    names = ", ".join(places.values())
    return (
        f"SELECT {', '.join(chosen)} FROM (WITH chosen({names}) AS ({render(source)}) SELECT * FROM chosen) WHERE 1"
    )


def _conflict(node: exp.Insert, table: Table, source: exp.Expr, catalog: Catalog) -> str:
    conflict = node.args.get("conflict")
    if conflict is None:
        return " ON CONFLICT DO NOTHING" if node.args.get("ignore") else ""
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
    return f" ON CONFLICT DO UPDATE SET {sets} WHERE count_upsert({changed})"


def assignments(table: Table, items: list[exp.Expr], scope: Scope) -> tuple[str, str]:
    """Return the SET clause, and the condition under which it changes anything."""
    sets, changes, seen = [], [], set()
    for item in items:
        column = _known(table, item.this.name)
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
    condition = _condition(node, scope)
    if not count_found:
        condition = f"({condition}) AND ({changed})"
    return Plan(
        f"UPDATE `{table.name}` SET {sets} WHERE {condition}",
        locks=True,
        table=table.name,
        kind="update",
        given=frozenset(_known(table, item.this.name).name for item in node.expressions),
    )


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
