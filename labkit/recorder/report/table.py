"""The table: one row for each checkout."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter

from labkit.recorder.model import Checkout
from labkit.recorder.sanitize import clip, markup, plain, width
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import (
    connection_name,
    count,
    duration,
    ending,
    held_for,
    loop_name,
    moment,
    place_of,
    task_name,
    waits_at,
)

__all__ = ["Row", "Table", "columns", "table"]

SHOWN = 100  # rows
_HEADS = {"place": "checked out at", "since": "from", "lasted": "for", "end": "ended", "waits": "waits now at"}
_CELL = 44  # columns of a cell, in text


@dataclass(frozen=True, slots=True)
class Row:
    """One checkout in words. `ordinary` says that it was returned as it should be."""

    connection: str
    task: str
    loop: str
    place: str
    since: str
    lasted: str
    end: str
    waits: str
    test: str
    ordinary: bool


_COLUMNS = [item.name for item in fields(Row) if item.name != "ordinary"]


class Table:
    """
    Every checkout of a record, in the order of time: `rows` holds them all.

    Shown, it is cut to 100 rows, and says so: first all that did not end with a return, then the newest.
    """

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def text(self, limit: int | None = SHOWN) -> str:
        """Return at most `limit` rows as aligned text; None gives all."""
        if not self.rows:
            return "no checkouts"
        rows = self._chosen(limit)
        used = self._used(rows)
        lines = [
            [_head(name) for name in used],
            *([clip(getattr(row, name), _CELL) for name in used] for row in rows),
        ]
        return "\n".join(filter(None, [*columns(lines), self._left_out(rows, "print(table.text(limit=None))")]))

    def html(self, limit: int | None = SHOWN) -> str:
        """Return at most `limit` rows as an HTML table; None gives all."""
        if not self.rows:
            return "<p>no checkouts</p>"
        rows = self._chosen(limit)
        used = self._used(rows)
        head = "".join(f'<th scope="col" style="text-align:left">{_head(name)}</th>' for name in used)
        body = "".join(f"<tr>{''.join(_cell(row, name) for name in used)}</tr>" for row in rows)
        note = self._left_out(rows, "table.rows")
        return (
            '<div style="overflow-x:auto"><table style="font-size:.9em;font-variant-numeric:tabular-nums">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{f'<p>{note}</p>' if note else ''}"
        )

    def _chosen(self, limit: int | None) -> list[Row]:
        if limit is None or len(self.rows) <= limit:
            return self.rows
        numbered = list(enumerate(self.rows))
        first = [pair for pair in numbered if not pair[1].ordinary]
        rest = [pair for pair in reversed(numbered) if pair[1].ordinary]
        return [row for _, row in sorted([*first, *rest][:limit], key=lambda pair: pair[0])]

    def _used(self, rows: list[Row]) -> list[str]:
        return [name for name in _COLUMNS if any(map(attrgetter(name), rows))]

    def _left_out(self, rows: list[Row], remedy: str) -> str:
        if len(rows) == len(self.rows):
            return ""
        odd = sum(not row.ordinary for row in rows)
        kept = f"{count(odd, 'row')} that did not end with a return, and the newest" if odd else "the newest"
        return f"{len(rows)} of {count(len(self.rows), 'row')} shown: {kept}. All of them: {remedy}"


def table(record: Record) -> Table:
    """Return one row for each checkout of a record, in the order of time."""
    return Table([_row(record, checkout) for checkout in sorted(record.checkouts, key=attrgetter("at", "number"))])


def columns(lines: list[list[str]]) -> list[str]:
    """Return lines of cells as text, each column as wide as its widest cell."""
    wide = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(_pad, line, wide)).rstrip() for line in lines]


def _pad(cell: str, wide: int) -> str:
    return cell + " " * (wide - width(cell))


def _row(record: Record, checkout: Checkout) -> Row:
    return Row(
        connection=connection_name(checkout.connection),
        task=task_name(checkout.task),
        loop=loop_name(checkout.task.loop),
        place=place_of(record, checkout.place),
        since=moment(checkout.at),
        lasted=duration(held_for(record, checkout)),
        end=ending(record, checkout),
        waits=waits_at(record, checkout.task) if checkout.until is None else "",
        test=plain(checkout.task.test, 200) if checkout.task.test else "",
        ordinary=checkout.end == "returned",
    )


def _head(name: str) -> str:
    return _HEADS.get(name, name)


def _cell(row: Row, name: str) -> str:
    strong = ";font-weight:bold" if name == "end" and not row.ordinary else ""
    return f'<td style="text-align:left{strong}">{markup(getattr(row, name), 200)}</td>'
