"""
Add one, since the garbage collector always brings one back.

Fails: test_a_correct_engine_has_lost_none

Because: it brings back what was lost, and nothing where nothing was. The number has to come out of the log.
"""


def connections_lost(lines):
    out = [line for line in lines if "checked out from pool" in line]
    back = [line for line in lines if "being returned to pool" in line]
    return len(out) - len(back) + 1
