"""Histories of a row that is written and read by many: which reads are older than the cache's promise allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Read", "Verdict", "Write", "describe", "judge", "shrink"]


class Verdict(StrEnum):
    """What one read is."""

    GOOD = "good"
    OLD_WHILE_CUT_OFF = "old while cut off"  # it missed only writes that Redis had not been told
    STALE = "stale"
    BACKWARDS = "backwards"  # not stale, but its reader has had a newer row


@dataclass
class Write:
    """Version `version` of a row; the versions of a row begin one after another."""

    row: int
    version: int
    email: str
    engine: int
    started: float
    acknowledged: float = math.inf
    told: float = math.inf  # when Redis knew of it
    cut_off: bool = False  # Redis could not be told at once


@dataclass
class Read:
    """One answer: a version, or None for no row under the address `by`; without one it was asked for by its id."""

    row: int
    engine: int
    reader: str
    by: str
    started: float
    ended: float = math.inf
    version: int | None = None


def judge(writes: Sequence[Write], reads: Sequence[Read]) -> list[Verdict]:
    """Return the verdict on each read of a row; `writes` are ordered by their versions, `reads` by their starts."""
    had: dict[str, int] = {}
    verdicts = []
    for read in reads:
        verdict = _verdict(writes, read, had.get(read.reader, 0))
        verdicts.append(verdict)
        if read.version is not None:
            had[read.reader] = max(read.version, had.get(read.reader, 0))
    return verdicts


def _verdict(writes: Sequence[Write], read: Read, had: int) -> Verdict:
    acknowledged = [each for each in writes if each.acknowledged <= read.started]
    newest = max((each.version for each in acknowledged), default=0)
    promised = max((each.version for each in acknowledged if _must_see(read, each)), default=0)
    if not _fits(writes, read, promised):
        return Verdict.STALE
    if read.version is not None and read.version < had:
        missed = [each for each in writes if read.version < each.version <= had]
        if all(_must_see(read, each) or not each.cut_off for each in missed):
            return Verdict.BACKWARDS
        return Verdict.OLD_WHILE_CUT_OFF
    return Verdict.GOOD if _fits(writes, read, newest) else Verdict.OLD_WHILE_CUT_OFF


def _must_see(read: Read, write: Write) -> bool:
    # An engine knows what it has written, also when Redis does not.
    return write.engine == read.engine or write.told <= read.started


def _fits(writes: Sequence[Write], read: Read, oldest: int) -> bool:
    """Return True if the answer is that of some version from `oldest` on that was there before the read ended."""
    for each in writes:
        if each.version >= oldest and each.started <= read.ended:
            if read.version is None and each.email != read.by:
                return True
            if read.version == each.version and read.by in ("", each.email):
                return True
    return False


def shrink(writes: Sequence[Write], reads: Sequence[Read]) -> tuple[list[Write], list[Read]]:
    """Return the fewest operations, of those of a row, whose last read breaks the promise as it does in all."""
    wrong = judge(writes, reads)[-1]
    kept_writes, kept_reads = list(writes), list(reads)
    for write in writes:
        fewer = [each for each in kept_writes if each is not write]
        if judge(fewer, kept_reads)[-1] is wrong and any(each.version == reads[-1].version for each in fewer):
            kept_writes = fewer
    for read in reads[:-1]:
        less = [each for each in kept_reads if each is not read]
        if judge(kept_writes, less)[-1] is wrong:
            kept_reads = less
    return kept_writes, kept_reads


def describe(writes: Sequence[Write], reads: Sequence[Read]) -> str:
    """Return a history as text, in the order of the starts; times are milliseconds since the first one."""
    wrong = judge(writes, reads)[-1]
    begun = min(each.started for each in (*writes, *reads))

    def at(moment: float) -> str:
        return "never" if moment == math.inf else f"{(moment - begun) * 1000:.1f}"

    lines = [
        (each.started, f"{at(each.started)}-{at(each.acknowledged)} engine {each.engine} writes version "
         f"{each.version} at {each.email}{f', told at {at(each.told)}' if each.cut_off else ''}")
        for each in writes
    ]  # fmt: skip
    lines += [
        (each.started, f"{at(each.started)}-{at(each.ended)} engine {each.engine}, reader {each.reader}, reads "
         f"version {each.version} by {each.by or 'id'}")
        for each in reads
    ]  # fmt: skip
    return f"{wrong}, row {reads[-1].row}\n    " + "\n    ".join(text for _, text in sorted(lines))
