"""
Everybody who holds a connection runs on the loop: who gives it back does so while the loop is open.

When the loop has closed nobody is left who could give anything back. What comes back then is brought by the garbage
collector. So the checkins after that moment don't count, and what is missing is what was lost.
"""


def connections_lost(happenings):
    out = [each for each in happenings if "checked out from pool" in each.text]
    back = [each for each in happenings if "being returned to pool" in each.text and not each.loop_closed]
    return len(out) - len(back)
