"""Count the one line that the pool writes for each connection that the garbage collector brings back."""

from labkit.scene import Kind

WORDS = "The garbage collector is trying to clean up non-checked-in connection"


def connections_lost(happenings):
    return len([each for each in happenings if each.kind is Kind.LOG and each.text.startswith(WORDS)])
