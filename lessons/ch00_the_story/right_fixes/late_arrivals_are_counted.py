"""Count what comes back too late."""


def connections_lost(lines):
    late = False
    lost = 0
    for line in lines:
        late = late or line == "the loop has closed"
        if late and "being returned to pool" in line:
            lost += 1
    return lost
