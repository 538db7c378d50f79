"""
A runner of steps, each a name and an async function. It blames the wrong ones.

Mend it, so that `tell` gets each complaint under the name of the step whose it is: of one that
fails, too, and of the last one. A step's own error must still be told. However `run_steps` ends,
the pool's logger, `sys.unraisablehook` and the garbage collector must be left as they were found.
"""

import asyncio
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
    sys.unraisablehook = hook
    POOL_LOG.removeHandler(listener)
