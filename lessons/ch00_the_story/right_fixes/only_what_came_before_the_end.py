"""Read the log up to the line that says that the loop has closed, and count as before."""

from itertools import takewhile

from labkit.scene import Kind


def connections_lost(happenings):
    before = list(takewhile(lambda each: each.kind is not Kind.LOOP_CLOSED, happenings))
    out = sum("checked out from pool" in each.text for each in before)
    back = sum("being returned to pool" in each.text for each in before)
    return out - back
