"""
Compare the names of the connections that went out with the names of those that came back.

Fails: test_the_first_engine_has_lost_one

Because: one connection goes out many times. It has come back once, so its name is in both sets, though it was not
given back the last time.
"""


def names(happenings, words):
    return {each.text.partition(words)[0] for each in happenings if words in each.text and not each.loop_closed}


def connections_lost(happenings):
    return len(names(happenings, "checked out from pool") - names(happenings, "being returned to pool"))
