"""
Collect the garbage after each step, whichever way it has ended.

Fails: test_a_step_that_fails_is_blamed_for_what_it_lost

Because: in the `except` block the error is still in your hands. It holds its traceback, the traceback holds the
frames of the step, and the frames hold the session: it is no garbage yet.
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
        else:
            gc.collect()
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
