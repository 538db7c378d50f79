"""The files that a diagnosis is written to: checked before the program runs, written after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labkit.errors import InvalidInput
from labkit.recorder import json_format
from labkit.recorder.process.diagnosis import Diagnosis, Process

__all__ = ["check", "write_record", "write_timeline", "write_trace"]


def check(path: Path | None, *suffixes: str) -> None:
    """Raise `InvalidInput` for a file that could not be written, or whose name has none of these endings."""
    if path is None:
        return
    if suffixes and path.suffix.lower() not in suffixes:
        wanted = " or ".join(suffixes)
        raise InvalidInput(f"{path} would not be what its name says.", remedy=f"Give a name that ends in {wanted}.")
    new = not path.exists()
    try:
        path.open("a").close()
    except OSError as error:
        raise InvalidInput(f"{path} can't be written: {error.strerror}.", remedy="Give another file.") from None
    if new:
        path.unlink()


def write_timeline(diagnosis: Diagnosis, path: Path) -> None:
    """Draw the connections of every process; as HTML, one process has its findings beside the drawing."""
    from labkit.recorder.report import page
    from labkit.recorder.report.timeline import Timeline

    watched = diagnosis.watched()
    titles = [each.title for each in watched] if len(watched) > 1 else []
    drawn = Timeline([each.record for each in watched], titles)
    if path.suffix.lower() == ".svg":
        text = drawn.svg
    else:
        several = drawn if titles else None
        text = page(watched[0].record, watched[0].findings, " ".join(diagnosis.command), drawn=several)
    path.write_text(text, encoding="utf-8")


def write_trace(diagnosis: Diagnosis, path: Path) -> None:
    """Write the trace of every process, in one file and on one scale of time."""
    from labkit.recorder.report import trace

    watched = diagnosis.watched()
    whole, *others = [json.loads(trace(each.record)) for each in watched]
    for other, process in zip(others, watched[1:], strict=True):
        later = (process.record.began - watched[0].record.began) * 1_000_000
        whole["traceEvents"] += [_moved(event, later) for event in other["traceEvents"]]
    path.write_text(json.dumps(whole, separators=(",", ":")), encoding="utf-8")


def _moved(event: dict[str, Any], microseconds: float) -> dict[str, Any]:
    return event if event["ph"] == "M" else event | {"ts": max(0, round(event["ts"] + microseconds))}


def write_record(diagnosis: Diagnosis, path: Path) -> None:
    """Write the record of the first process to `path`, and each other's beside it, with its number in the name."""
    first, *others = diagnosis.watched()
    _write(first, path)
    for process in others:
        _write(process, path.with_stem(f"{path.stem}-{process.pid}"))


def _write(process: Process, path: Path) -> None:
    path.write_text(json_format.dump(process.record), encoding="utf-8", errors="surrogatepass")
