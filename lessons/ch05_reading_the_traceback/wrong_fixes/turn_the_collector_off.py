"""
Turn the garbage collector off while the steps run, so that it can't come in the middle of another one.

Fails: test_the_last_step_is_blamed_for_what_it_lost

Because: it does not come at the wrong time any more, and it does not come at the right time either. All the garbage
waits, until somebody else calls for it.
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
    gc.disable()
    for name, step in steps:
        try:
            asyncio.run(step())
        except Exception as error:
            tell(name, repr(error))
    gc.enable()
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
