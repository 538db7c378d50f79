"""
Code that gives a connection back runs on the loop, while the loop is open.

When the loop has closed, no code of the program can give anything back. What comes back then is brought by the
garbage collector. So the checkins after that moment don't count, and what is missing is what was lost.
"""


def connections_lost(lines):
    end = lines.index("the loop has closed")
    out = [line for line in lines if "checked out from pool" in line]
    back = [line for line in lines[:end] if "being returned to pool" in line]
    return len(out) - len(back)
