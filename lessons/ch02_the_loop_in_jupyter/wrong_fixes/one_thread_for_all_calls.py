"""
Keep one thread for all calls, so that none has to be started.

Fails: test_no_thread_is_left

Because: the thread stays when the call is over. And a call inside a call waits for it for ever: there is one
thread, and it is the one that is waiting.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(max_workers=1)


def run_now(function, *args):
    return pool.submit(asyncio.run, function(*args)).result()
