"""
Collect the garbage once, after the last step.

Fails: test_the_next_step_is_not_blamed_for_what_comes_out_in_it

Because: that is in time for the last step only. What an earlier one has lost still comes out where the
collector comes first, or here, under the last name.
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
