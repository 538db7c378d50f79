"""Read the log up to the line that says that the loop has closed, and count as before."""

from itertools import takewhile


def connections_lost(lines):
    before = list(takewhile(lambda line: line != "the loop has closed", lines))
    out = sum("checked out from pool" in line for line in before)
    back = sum("being returned to pool" in line for line in before)
    return out - back
