"""
Compare the names of the connections that went out with the names of those that came back in time.

Fails: test_the_first_engine_has_lost_one

Because: one connection goes out many times. It has come back once, so its name is in both sets, though it was not
given back the last time.
"""


def names(lines, words):
    return {line.partition(words)[0] for line in lines if words in line}


def connections_lost(lines):
    before = lines[: lines.index("the loop has closed")]
    return len(names(before, "checked out from pool") - names(before, "being returned to pool"))
