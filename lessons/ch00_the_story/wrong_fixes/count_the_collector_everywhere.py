"""
Count the lines that speak of the garbage collector.

Fails: test_the_first_engine_has_lost_one

Because: SQLAlchemy says it twice, once in the pool's log and once as a warning. Look at one of the two only.
"""


def connections_lost(lines):
    return sum("garbage collector is trying" in line for line in lines)
