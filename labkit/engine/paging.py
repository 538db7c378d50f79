"""Pages: a bounded number of rows in a total order, and the row after which the next page starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.operators import desc_op

from labkit.engine.keys import columns_of, mapper_of
from labkit.engine.models import Base
from labkit.errors import InvalidInput

__all__ = ["page"]

M = TypeVar("M", bound=Base)


def page(
    model: type[M],
    where: Sequence[Any],
    order_by: Any,
    limit: int,
    after: M | None,
) -> Select[Any]:
    """
    Return the statement that reads one page of objects of `model`.

    A page starts where the last one ended (`after`, a row of it) and not at an offset: rows written meanwhile
    neither repeat nor hide others, and the hundredth page costs what the first did. The primary key is always
    the last thing ordered by, so that the order is total. Raises `InvalidInput`.
    """
    mapper_of(model)
    for condition in where:
        if not isinstance(condition, ColumnElement):
            raise InvalidInput(
                f"Expected a condition such as {model.__name__}.id > 7, got {condition!r}.",
                remedy="Compare a column of the model.",
            )
    order = _total_order(model, order_by)
    statement = select(model).where(*where).order_by(*(c.desc() if down else c.asc() for c, down in order))
    if after is not None:
        _check_last(after, model, order)
        statement = statement.where(_behind(after, order))
    return statement.limit(limit)


Order = list[tuple[InstrumentedAttribute[Any], bool]]


def _total_order(model: type[Base], order_by: Any) -> Order:
    asked = order_by if isinstance(order_by, list | tuple) else [] if order_by is None else [order_by]
    order = [_direction(model, each) for each in asked]
    named = {column.key for column, _ in order}
    mapper = mapper_of(model)
    for column in mapper.primary_key:
        name = mapper.get_property_by_column(column).key
        if name not in named:
            order.append((getattr(model, name), bool(order) and order[-1][1]))
    return order


def _direction(model: type[Base], asked: Any) -> tuple[InstrumentedAttribute[Any], bool]:
    down = isinstance(asked, UnaryExpression) and asked.modifier is desc_op
    named = getattr(asked.element if isinstance(asked, UnaryExpression) else asked, "expression", None)
    for name, column in columns_of(model).items():
        # NULL is neither before nor behind anything, so rows would fall between two pages.
        if isinstance(named, ColumnElement) and column.shares_lineage(named) and not column.nullable:
            return getattr(model, name), down
    raise InvalidInput(
        f"order_by= takes columns of {model.__name__} that are never NULL, got {asked}.",
        remedy=f"For example {model.__name__}.id or {model.__name__}.id.desc().",
    )


def _check_last(after: Any, model: type[Base], order: Order) -> None:
    if not isinstance(after, model) or any(getattr(after, column.key) is None for column, _ in order):
        raise InvalidInput(
            f"after= takes a {model.__name__} of the last page, got {after!r}.",
            remedy="Give the last row you got.",
        )


def _behind(last: Base, order: Order) -> ColumnElement[bool]:
    steps = []
    for i, (column, down) in enumerate(order):
        same = [earlier == getattr(last, earlier.key) for earlier, _ in order[:i]]
        value = getattr(last, column.key)
        steps.append(and_(*same, column < value if down else column > value))
    return or_(*steps)
