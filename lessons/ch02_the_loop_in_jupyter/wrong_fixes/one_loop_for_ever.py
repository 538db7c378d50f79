"""
Keep one loop running in a thread in the background, and give it every call.

Fails: test_the_loop_of_each_call_is_closed

Because: what one call leaves on that loop goes on behind the next ones, and nobody ever ends it. A program that
wants such a loop must own it: open it, use it, and close it. A helper that is called and forgotten can't.
"""

import asyncio
import threading

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="background", daemon=True).start()


def run_now(function, *args):
    return asyncio.run_coroutine_threadsafe(function(*args), loop).result()
