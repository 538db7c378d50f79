"""
Sleep after each step, so that the collector has time to come.

Fails: test_the_last_step_is_blamed_for_what_it_lost

Because: time is nothing to the collector. It comes when enough new objects have been made, and who sleeps makes
none.
"""

import asyncio
import logging
import sys
import time

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
        time.sleep(0.2)
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
