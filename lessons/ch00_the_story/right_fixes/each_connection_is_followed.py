"""Follow each connection by its name: who is away when the loop closes was lost."""

import re

from labkit.scene import Kind

MOVE = re.compile(r"^Connection (?P<name><.+>) (?P<move>checked out from pool|being returned to pool)")


def connections_lost(happenings):
    away = set()
    for each in happenings:
        if each.kind is Kind.LOOP_CLOSED:
            break
        if found := MOVE.match(each.text):
            change = away.add if found["move"].startswith("checked") else away.discard
            change(found["name"])
    return len(away)
