"""The picture of the system: what stands between a person at the console and a row in the database."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

__all__ = ["Picture", "picture"]

SAYS = (
    "The console calls the API over HTTP. The API calls the engine in its own process. Inside the engine, sessions "
    "borrow connections from a pool, and each connection is a socket to MySQL. The engine also keeps a cache and a "
    "message bus in Redis."
)

# Lines and letters take the page's own colour, so that they are seen on white and on black.
STYLE = "font-family:sans-serif;font-size:13px;fill:currentColor"
LINE = 'stroke="currentColor" stroke-width="1.5" fill="none"'
ENGINE = "#e8731a"


@dataclass(frozen=True)
class Picture:
    """A drawing, and the words that say the same."""

    drawing: str
    words: str

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        return self.drawing


def picture() -> Picture:
    """Return the picture of the system, to be displayed; it prints as text."""
    parts = [
        _box(10, "console", "a person types"),
        _arrow(130, 180, 90, "HTTP"),
        _box(180, "API", "async"),
        _arrow(300, 350, 90, "calls"),
        _engine(350),
        _arrow(600, 660, 55, "sockets"),
        _box(660, "MySQL", "tables", top=25),
        _arrow(600, 660, 125, "socket"),
        _box(660, "Redis", "cache and bus", top=95),
    ]
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 185" role="img" aria-label="{escape(SAYS)}" '
        f'style="max-width:790px;width:100%;height:auto;{STYLE}">'
        '<defs><marker id="labkit-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>{"".join(parts)}</svg>'
    )
    return Picture(drawing, f"console → API → engine → MySQL and Redis\n\n{SAYS}")


def _box(left: int, name: str, below: str, *, top: int = 60) -> str:
    return (
        f'<rect x="{left}" y="{top}" width="120" height="60" rx="6" {LINE}/>'
        f"{_text(left + 60, top + 27, name, bold=True)}{_text(left + 60, top + 46, below)}"
    )


def _engine(left: int) -> str:
    middle = left + 125
    return (
        f'<rect x="{left}" y="10" width="250" height="160" rx="8" fill="{ENGINE}" fill-opacity=".12" '
        f'stroke="{ENGINE}" stroke-width="2"/>{_text(middle, 34, "engine", bold=True)}'
        f'<rect x="{left + 14}" y="52" width="88" height="56" rx="5" {LINE}/>{_text(left + 58, 84, "sessions")}'
        f"{_arrow(left + 102, left + 124, 80, '')}{_pool(left + 124)}"
        f"{_text(middle, 132, 'who holds a connection,')}"
        f"{_text(middle, 150, 'on which loop, for which task?')}"
    )


def _pool(left: int) -> str:
    slots = "".join(f'<rect x="{left + 8 + 20 * i}" y="78" width="14" height="14" {LINE}/>' for i in range(5))
    frame = f'<rect x="{left}" y="52" width="112" height="56" rx="5" {LINE}/>'
    return f"{frame}{_text(left + 56, 70, 'pool')}{slots}"


def _arrow(start: int, end: int, y: int, label: str) -> str:
    tip = 'marker-end="url(#labkit-tip)"'
    return f'<path d="M{start} {y}H{end - 1}" {LINE} {tip}/>{_text((start + end) // 2, y - 7, label, small=True)}'


def _text(x: int, y: int, words: str, *, bold: bool = False, small: bool = False) -> str:
    look = ' font-weight="bold" font-size="15"' if bold else ' font-size="11"' if small else ""
    return f'<text x="{x}" y="{y}" text-anchor="middle"{look}>{escape(words)}</text>'
