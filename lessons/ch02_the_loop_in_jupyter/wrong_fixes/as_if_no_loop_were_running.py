"""
Let asyncio forget the running loop and its task for the time of the call, and remind it afterwards.

Fails: test_the_thread_of_a_running_loop_runs_no_second_loop

Because: the loop is running all the same, and so are two in one thread. That is what the refusal was there to
prevent, and the functions that make it possible are private: they may be others in the next Python.
"""

import asyncio


def run_now(function, *args):
    try:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
    except RuntimeError:
        return asyncio.run(function(*args))
    asyncio.tasks._leave_task(loop, task)
    asyncio.events._set_running_loop(None)
    try:
        return asyncio.run(function(*args))
    finally:
        asyncio.events._set_running_loop(loop)
        asyncio.tasks._enter_task(loop, task)
