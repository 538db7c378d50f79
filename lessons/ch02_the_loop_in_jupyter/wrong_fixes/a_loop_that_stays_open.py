"""
Make a loop in a thread, and run the function on it to its end.

Fails: test_the_loop_of_each_call_is_closed

Because: `asyncio.run` does more than to run. The loop that is made here is never closed, and neither are the
sockets by which it can be woken: a few more with each call.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_now(function, *args):
    def run():
        return asyncio.new_event_loop().run_until_complete(function(*args))

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(run).result()
