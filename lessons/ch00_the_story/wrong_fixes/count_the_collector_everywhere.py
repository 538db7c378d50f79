"""
Count the lines that speak of the garbage collector.

Fails: test_the_first_engine_has_lost_one

Because: SQLAlchemy says it twice, once in the pool's log and once as a warning. Look at one kind of happening only.
"""


def connections_lost(happenings):
    return sum("garbage collector is trying" in each.text for each in happenings)
