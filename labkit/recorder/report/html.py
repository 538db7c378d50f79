"""The findings, the checkouts and the timeline as HTML: a fragment for a notebook, a page for a file."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.finding import Finding
from labkit.recorder.report.details import facts
from labkit.recorder.report.summary import faults, headline, held, watched
from labkit.recorder.report.table import table
from labkit.recorder.report.timeline import Timeline, timeline
from labkit.recorder.sanitize import markup
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import count

__all__ = ["html", "page"]

# The colours are the page's own, in a notebook's dark theme too; red only repeats what the words say.
_CODE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-weight:600;color:#d1453b"
_LABEL = "opacity:.65;padding:.1em .9em .1em 0;text-align:right;vertical-align:top;white-space:nowrap"
_WORDS = "text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_INSET = "border-left:3px solid #d1453b;margin:.7em 0;padding:.1em 0 .1em .9em"


def html(record: Record, findings: list[Finding]) -> str:
    """Return a fragment: the findings in words, the checkouts folded away, the timeline."""
    parts = [
        f"<p><strong>{markup(headline(record, findings))}</strong></p>",
        *(_finding(record, finding, str(number)) for number, finding in enumerate(findings, start=1)),
        *_end(record, findings),
        *_checkouts(record),
        timeline(record).svg if record.connections else "",
    ]
    return f'<div class="lk-report" style="line-height:1.45;max-width:1000px">{"".join(parts)}</div>'


def page(
    record: Record, findings: list[Finding], title: str = "Flight recorder", *, drawn: Timeline | None = None
) -> str:
    """
    Return a whole page that needs nothing else: no script, no font, no address.

    `drawn` takes the place of the record's own timeline: what `beside` returned, say.
    """
    body = html(record, findings) if drawn is None else drawn.svg
    words = (timeline(record) if drawn is None else drawn).text()
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{markup(title, 200)}</title></head>"
        '<body style="font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1000px;padding:0 1em">'
        f"<h1>{markup(title, 200)}</h1>{body}<details><summary>The timeline in words</summary>"
        f'<pre style="overflow-x:auto">{_lines(words)}</pre></details></body></html>\n'
    )


def _lines(words: str) -> str:
    return "\n".join(markup(line, 2_000) for line in words.split("\n"))


def _finding(record: Record, finding: Finding, number: str, cause: Finding | None = None) -> str:
    rows = _rows(facts(record, finding, cause))
    below = "".join(
        _finding(record, each, f"{number}.{place}", finding)
        for place, each in enumerate(finding.consequences, start=1)
    )
    followed = f'<p style="margin:.6em 0 0">What followed from it:</p>{below}' if below else ""
    times = f" ({finding.times} times)" if finding.times > 1 else ""
    return (
        f'<section style="{_INSET}"><div><strong>{number}</strong> '
        f'<span style="{_CODE}">{markup(finding.code, 60)}</span>{times}</div>'
        f"<div>{markup(finding.summary)}</div>{rows}{followed}</section>"
    )


def _rows(facts: list[tuple[str, str]]) -> str:
    labels = [label if place == 0 or facts[place - 1][0] != label else "" for place, (label, _) in enumerate(facts)]
    rows = "".join(
        f'<tr><th scope="row" style="font-weight:normal;{_LABEL}">{label}</th>'
        f'<td style="{_WORDS}">{markup(words)}</td></tr>'
        for label, (_, words) in zip(labels, facts, strict=True)
    )
    return f'<table style="font-size:.95em;margin:.3em 0">{rows}</table>'


def _end(record: Record, findings: list[Finding]) -> Iterator[str]:
    if (holding := held(record)) and not (findings and record.ended):
        yield _list("Never returned:" if record.ended else "Held at this moment:", holding)
    if record.pools:
        yield f'<p style="opacity:.75">{markup(watched(record))}</p>'
    if failed := faults(record):
        yield _list("The recorder itself failed here; the program was not told:", failed)


def _list(title: str, lines: list[str]) -> str:
    items = "".join(f"<li>{markup(line)}</li>" for line in lines)
    return f"<div>{title}<ul>{items}</ul></div>"


def _checkouts(record: Record) -> Iterator[str]:
    rows = table(record)
    if len(rows):
        yield f"<details><summary>{count(len(rows), 'checkout')} kept</summary>{rows.html()}</details>"
