"""
Collect the garbage right after each step.

Fails: test_a_step_that_fails_is_blamed_for_what_it_lost

Because: a step that fails jumps over this line. It is the one that most often loses something, and what it has lost
comes out in the next.
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
            gc.collect()
        except Exception as error:
            tell(name, repr(error))
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
