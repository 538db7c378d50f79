"""
Say 1 when anything came back after the loop had closed.

Fails: test_three_tasks_at_once_have_lost_three

Because: that says whether a connection was lost, and not how many. It is right by chance when one was.
"""


def connections_lost(lines):
    late = lines[lines.index("the loop has closed") :]
    return 1 if any("being returned to pool" in line for line in late) else 0
