"""Follow each connection by its name: one that is out when the loop closes was lost."""

import re

MOVE = re.compile(r"^Connection (?P<name><.+>) (?P<move>checked out from pool|being returned to pool)")


def connections_lost(lines):
    away = set()
    for line in lines:
        if line == "the loop has closed":
            break
        if found := MOVE.match(line):
            change = away.add if found["move"].startswith("checked") else away.discard
            change(found["name"])
    return len(away)
