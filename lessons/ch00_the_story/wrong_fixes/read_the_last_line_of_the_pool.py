"""
Read the number in the line in which the pool says that it was disposed of.

Fails: test_the_first_engine_has_lost_one

Because: a pool that was disposed of has forgotten what is out. It begins anew, with zeros.
"""

import re


def connections_lost(lines):
    said = [re.search(r"^Pool disposed.*checked out connections: (\d+)", line) for line in lines]
    return sum(int(found[1]) for found in said if found)
