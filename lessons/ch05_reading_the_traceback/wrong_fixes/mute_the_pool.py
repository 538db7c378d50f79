"""
Mute the pool's logger, which says nothing of use.

Fails: test_the_last_step_is_blamed_for_what_it_lost

Because: the complaint is gone and the lost connection is not. What the log can't say any more nobody can tell,
of the right step or of a wrong one.
"""

import asyncio
import logging
import sys

POOL_LOG = logging.getLogger("sqlalchemy.pool")


def run_steps(steps, tell):
    listener = logging.Handler(logging.ERROR)
    listener.emit = lambda record: tell(name, record.getMessage())
    POOL_LOG.addHandler(listener)
    POOL_LOG.setLevel(logging.CRITICAL + 1)
    hook = sys.unraisablehook
    sys.unraisablehook = lambda found: tell(name, repr(found.exc_value))
    for name, step in steps:
        try:
            asyncio.run(step())
        except Exception as error:
            tell(name, repr(error))
    sys.unraisablehook = hook
    POOL_LOG.setLevel(logging.NOTSET)
    POOL_LOG.removeHandler(listener)
