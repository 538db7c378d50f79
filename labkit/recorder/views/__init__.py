"""How a record looks: in a terminal, in a notebook, as a picture, as a trace. Pure functions of a record."""

from __future__ import annotations

from labkit.recorder.views.html import html, page
from labkit.recorder.views.report import report, report_text
from labkit.recorder.views.table import Row, Table, table
from labkit.recorder.views.timeline import Timeline, beside, timeline
from labkit.recorder.views.trace import trace

__all__ = [
    "Row",
    "Table",
    "Timeline",
    "beside",
    "html",
    "page",
    "report",
    "report_text",
    "table",
    "timeline",
    "trace",
]
