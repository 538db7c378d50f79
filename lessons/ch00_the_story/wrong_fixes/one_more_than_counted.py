"""
Add one, since the garbage collector always brings one back.

Fails: test_the_mended_engine_has_lost_none

Because: it brings back what was lost, and nothing where nothing was. The number has to come out of the log.
"""


def connections_lost(happenings):
    out = [each for each in happenings if "checked out from pool" in each.text]
    back = [each for each in happenings if "being returned to pool" in each.text]
    return len(out) - len(back) + 1
