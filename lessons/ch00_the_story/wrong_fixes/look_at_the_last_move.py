"""
Look at the last move before the loop closes: if a connection went out, one is lost.

Fails: test_three_tasks_at_once_have_lost_three

Because: that is the last connection that moved, and there are others. Three tasks can lose three, and one that is
lost may be followed by one that comes and goes as it should.
"""


def connections_lost(lines):
    before = lines[: lines.index("the loop has closed")]
    moves = [line for line in before if "from pool" in line or "to pool" in line]
    return 1 if moves and "checked out from pool" in moves[-1] else 0
