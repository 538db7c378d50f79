"""
Count what went wrong in silence.

Fails: test_the_first_engine_has_lost_one

Because: one lost connection leaves several complaints behind, and how many depends on the driver. Count
connections, not complaints.
"""

from labkit.scene import Kind, is_silent_failure


def connections_lost(happenings):
    return len([each for each in happenings if each.kind is not Kind.EXCEPTION and is_silent_failure(each.text)])
