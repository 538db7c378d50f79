"""A helper that works in a script, and not in a notebook.

`run_now(function, *args)` runs an async function to its end, and returns its answer or raises its
error. It shall do so in both places. Each call ends what it began: its loop is closed, and no task,
thread or connection is left. A loop that is running already stays as it is, and so does asyncio;
and while the caller waits, no other task on that loop gets a turn."""

import asyncio


def run_now(function, *args):
    return asyncio.run(function(*args))
