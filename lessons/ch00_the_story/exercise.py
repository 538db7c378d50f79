"""
A count that the garbage collector spoils.

`connections_lost` gets the lines that `watch_pool.py` prints, and says how many connections the program has not
given back. It counts what went out and what came back. But the garbage collector brings back in the end whatever
was lost: so it always says 0.

Fix it: what comes back after the loop has closed was lost.
"""


def connections_lost(lines):
    out = [line for line in lines if "checked out from pool" in line]
    back = [line for line in lines if "being returned to pool" in line]
    return len(out) - len(back)
