"""
Give the coroutine to the loop that is running already.

Fails: test_in_a_notebook_it_gives_the_answer_and_leaves_the_running_loop_as_it_is

Because: that loop is busy: it is running the very line that asks it to run. It refuses to be entered twice.
"""

import asyncio


def run_now(function, *args):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(function(*args))
    coroutine = function(*args)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        coroutine.close()
