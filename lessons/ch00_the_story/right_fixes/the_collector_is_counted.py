"""Count the one line that the pool writes for each connection that the garbage collector brings back."""

WORDS = "The garbage collector is trying to clean up non-checked-in connection"


def connections_lost(lines):
    return len([line for line in lines if line.startswith(WORDS)])
