"""
Count the lines after the loop has closed.

Fails: test_the_first_engine_has_lost_one

Because: one lost connection makes many lines, and how many depends on the driver and the version. Count a line
that comes once for each connection.
"""


def connections_lost(lines):
    return len(lines) - lines.index("the loop has closed") - 1
