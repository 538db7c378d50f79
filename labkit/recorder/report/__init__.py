"""How a record looks: in a terminal, in a notebook, as a picture, as a trace. Pure functions of a record."""

from __future__ import annotations

from labkit.recorder.report.html import html, page
from labkit.recorder.report.table import Row, Table, table
from labkit.recorder.report.terminal import report, report_text
from labkit.recorder.report.timeline import Timeline, beside, timeline
from labkit.recorder.report.trace import trace

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
