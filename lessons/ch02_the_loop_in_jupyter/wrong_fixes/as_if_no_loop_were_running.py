"""
Let asyncio forget the running loop for the time of the call, and remind it afterwards.

Fails: test_the_thread_of_a_running_loop_runs_no_second_loop

Because: the loop is running all the same, and so are two in one thread. That is what the refusal was there to
prevent, and the function that makes it possible is private: it may be another one in the next Python.
"""

import asyncio


def run_now(function, *args):
    outer = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    try:
        return asyncio.run(function(*args))
    finally:
        asyncio.events._set_running_loop(outer)
