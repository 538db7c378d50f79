"""The parts of the drawing: colours, letters and the shape of each sign, as SVG."""

from __future__ import annotations

from labkit.recorder.sanitize import clip, markup, width

__all__ = [
    "GREY",
    "PALETTE",
    "STYLE",
    "colour",
    "fitting",
    "letters",
    "line",
    "number",
    "rect",
    "shape",
    "text_width",
]

# Okabe and Ito's colours, which every kind of colour vision tells apart, each with the ink that is read on it.
PALETTE = (
    ("#56b4e9", "#111"),
    ("#e69f00", "#111"),
    ("#009e73", "#111"),
    ("#cc79a7", "#111"),
    ("#f0e442", "#111"),
    ("#0072b2", "#fff"),
    ("#d55e00", "#111"),
)
GREY = ("#b5b5b5", "#111")  # for a bar that stands for several tasks

# Attributes give the light colours, so that the drawing stands without this; on a dark page this overrides them.
STYLE = (
    "@media (prefers-color-scheme:dark){"
    ".lk-flight .p{fill:#14171b;stroke:#3a424c}.lk-flight .i{fill:#eceff3}.lk-flight .d{fill:#aeb6c0}"
    ".lk-flight .g{stroke:#2e353d}.lk-flight .b{fill:#8fb4ff;fill-opacity:.13}.lk-flight .l{stroke:#9db9ee}"
    ".lk-flight .s{fill:#14171b;stroke:#eceff3}.lk-flight .k{stroke:#eceff3}.lk-flight .f{fill:#eceff3}"
    ".lk-flight .o{stroke:#eceff3}.lk-flight .n{stroke:#14171b}}"
)
_KINDS = {"i": "#1b1f24", "d": "#57606a"}
_SIZE = 11
_ADVANCE = 6.1  # pixels for a letter at 11 pixels, on the safe side for the usual sans-serif fonts


def colour(hue: int) -> tuple[str, str]:
    """Return the fill and the ink for the bars of a task; colours come again after seven tasks."""
    return PALETTE[hue % len(PALETTE)] if hue >= 0 else GREY


def number(value: float) -> str:
    """Return a place on the paper, with one decimal."""
    shown = f"{value:.1f}"
    return shown.removesuffix(".0")


def text_width(words: str, size: float = _SIZE) -> float:
    """Return about how many pixels wide some words are."""
    return width(words) * _ADVANCE * size / _SIZE


def letters(
    x: float,
    y: float,
    words: str,
    *,
    kind: str = "i",
    size: float = _SIZE,
    anchor: str = "",
    ink: str = "",
    bold: bool = False,
) -> str:
    """Return words at a place; `kind` is "i" for ink or "d" for dim, unless `ink` gives a colour."""
    if not words:
        return ""
    look = f'fill="{ink}"' if ink else f'class="{kind}" fill="{_KINDS[kind]}"'
    look += f' font-size="{number(size)}"' if size != _SIZE else ""
    look += f' text-anchor="{anchor}"' if anchor else ""
    look += ' font-weight="600"' if bold else ""
    return f'<text x="{number(x)}" y="{number(y)}" {look}>{markup(words, 400)}</text>'


def rect(x: float, y: float, wide: float, high: float, look: str, inside: str = "") -> str:
    """Return a rectangle; `inside` may hold its title."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(max(wide, 0))}" height="{number(high)}"'
    return f"<rect {place} {look}>{inside}</rect>" if inside else f"<rect {place} {look}/>"


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    """Return a straight line."""
    return f'<path d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}" {look}/>'


def fitting(words: str, room: float, size: float = _SIZE) -> str:
    """Return words cut to `room` pixels; nothing when not even four letters fit."""
    letters_that_fit = int(room / (_ADVANCE * size / _SIZE))
    return clip(words, letters_that_fit) if letters_that_fit >= 4 else ""


_S = 'class="s" fill="#fff" stroke="#1b1f24" stroke-width="1.3"'
_F = 'class="f" fill="#1b1f24"'
_K = 'class="k" fill="none" stroke="#1b1f24" stroke-width="1.7"'
# Each within 4 pixels around its middle; told apart by shape, without colour.
_SHAPES = {
    "opened": f'<circle r="3.4" {_S}/>',
    "closed": f'<path d="M-3.2-3.2h6.4v6.4h-6.4z" {_F}/>',
    "invalidated": f'<path d="M-3.4-3.4l6.8 6.8m0-6.8l-6.8 6.8" {_K}/>',
    "disposed": f'<path d="M0-4.4L4.4 0L0 4.4L-4.4 0z" {_S}/>',
    "cancelled": f'<path d="M0-4.2L4.2 3.4H-4.2z" {_F}/>',
    "collected": f'<path d="M-4-2.6h8M-3.2-2.6l.7 6.4h5l.7-6.4M-1.4-4.2h2.8" {_K}/>',
    "fault": f'<circle r="5" {_F}/><path d="M0-3.3v3.7M0 1.7v1.6" stroke="#fff" stroke-width="1.6" class="n"/>',
    "other": f'<path d="M-3.6 0h7.2M0-3.6v7.2" {_K}/>',
}


def shape(name: str, x: float, y: float, title: str = "") -> str:
    """Return the shape of a sign at a place."""
    inside = f"<title>{markup(title)}</title>" if title else ""
    return f'<g transform="translate({number(x)} {number(y)})">{inside}{_SHAPES[name]}</g>'
