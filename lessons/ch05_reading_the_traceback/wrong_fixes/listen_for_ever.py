"""
Collect after each step, and leave the rest as it is.

Fails: test_everything_is_left_as_it_was_found_when_a_step_ends_the_program

Because: `sys.exit()` is no `Exception`. It goes through your loop and past the two lines behind it, and your
listener goes on listening to a program that has forgotten it.
"""

import asyncio
import gc
import logging
import sys

POOL_LOG = logging.getLogger("sqlalchemy.pool")


def run_steps(steps, tell):
    listener = logging.Handler(logging.ERROR)
    listener.emit = lambda record: tell(name, record.getMessage())
    POOL_LOG.addHandler(listener)
    hook = sys.unraisablehook
    sys.unraisablehook = lambda found: tell(name, repr(found.exc_value))
    for name, step in steps:
        try:
            asyncio.run(step())
        except Exception as error:
            tell(name, repr(error))
        gc.collect()
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
