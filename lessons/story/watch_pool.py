"""Run the test, and let the pool say what it does."""

import asyncio
import gc
import logging
import sys

from test_engine import save_twice

logging.basicConfig(stream=sys.stdout, format="%(message)s")
logging.getLogger("sqlalchemy.pool").setLevel(logging.DEBUG)

gc.disable()  # the garbage collector comes when it is called, and not by chance
asyncio.run(save_twice())
print("the loop has closed")
gc.collect()
