"""
Say 1 when anything came back after the loop had closed.

Fails: test_three_tasks_at_once_have_lost_three

Because: that says whether a connection was lost, and not how many. It is right by chance when one was.
"""


def connections_lost(happenings):
    late = [each for each in happenings if "being returned to pool" in each.text and each.loop_closed]
    return 1 if late else 0
