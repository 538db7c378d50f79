"""
Collect the garbage before each step, so that each begins in a tidy place.

Fails: test_the_last_step_is_blamed_for_what_it_lost

Because: what the collector finds before a step is the garbage of the step before. Now the wrong step is blamed
every time, and after the last step nobody collects.
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
        gc.collect()
        try:
            asyncio.run(step())
        except Exception as error:
            tell(name, repr(error))
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
