"""
Collect after each step, and ignore what finalisers raise: nobody can catch that anyway.

Fails: test_an_error_in_a_finaliser_is_told

Because: nobody can catch it, and so the hook is the only one who hears of it. A hook that does nothing makes
the error disappear, and not the fault.
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
    sys.unraisablehook = lambda found: None
    try:
        for name, step in steps:
            try:
                asyncio.run(step())
            except Exception as error:
                tell(name, repr(error))
            gc.collect()
    finally:
        sys.unraisablehook = hook
        POOL_LOG.removeHandler(listener)
