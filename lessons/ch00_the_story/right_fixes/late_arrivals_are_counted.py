"""Count what comes back too late."""


def connections_lost(happenings):
    lost = 0
    for each in happenings:
        if each.loop_closed and "being returned to pool" in each.text:
            lost += 1
    return lost
