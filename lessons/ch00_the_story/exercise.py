"""
A count that the garbage collector spoils.

`connections_lost` reads what came out of a scene that was played with `pool_log=True`, and says
how many of its connections were never given back by anybody. It counts what went out and what
came back. But whatever is lost the garbage collector brings back in the end: it always says 0.

Mend it: what the collector brings back after the loop has closed was lost.
"""


def connections_lost(happenings):
    out = [each for each in happenings if "checked out from pool" in each.text]
    back = [each for each in happenings if "being returned to pool" in each.text]
    return len(out) - len(back)
