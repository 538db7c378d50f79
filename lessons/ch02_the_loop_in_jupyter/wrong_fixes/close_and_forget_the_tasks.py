"""
Make a loop in a thread, run the function to its end, and close the loop.

Fails: test_a_task_that_the_function_has_left_is_ended

Because: a task that the function has left behind is still waiting when its loop is closed. It is never woken
again, its `finally` is never reached, and what it holds, a connection for example, is never given back.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_now(function, *args):
    def run():
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(function(*args))
        finally:
            loop.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(run).result()
