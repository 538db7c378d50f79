"""
Hand the coroutine to the running loop from outside, with `run_coroutine_threadsafe`, and wait for the result.

Fails: test_in_a_notebook_it_gives_the_answer_and_leaves_the_running_loop_as_it_is

Because: that is made for another thread. Here the loop's own thread waits for an answer that only the loop could
give, and the loop can't go on as long as its thread waits: a deadlock.
"""

import asyncio


def run_now(function, *args):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(function(*args))
    return asyncio.run_coroutine_threadsafe(function(*args), loop).result()
