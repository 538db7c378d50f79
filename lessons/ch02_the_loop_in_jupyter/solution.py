"""
A thread of its own for each call.

Where a loop is running no other may run: that is said of a thread, and not of a program. A new thread has no loop
yet, so there `asyncio.run` may do all that it does in a script: make a loop, run the function to its end, end what
is left of it, and close the loop. Nothing need be known of the place from which it is called.

`result()` waits for the answer, and raises the function's own error if there is one. The `with` waits for the end
of the thread. Meanwhile the caller stands still, as it does in a script: nobody else on its loop gets a turn.

One thing is lost: an interruption (Ctrl+C) reaches the caller and not the thread, where the function runs on to its
end. `asyncio.run` in the main thread would have cancelled it.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_now(function, *args):
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, function(*args)).result()
