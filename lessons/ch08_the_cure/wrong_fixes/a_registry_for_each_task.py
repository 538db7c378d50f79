"""
Keep a registry for each task.

Fails: test_what_a_block_writes_is_on_the_server_after_it

Because: the end of a block runs in a helper task, so that a cancellation can't stop it half-way. The helper gets a
registry of its own, finds nothing in it, and the session keeps its connection.
"""

import asyncio

from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine


class ChatEngine(Engine):
    def sessions(self):
        registries = self.__dict__.setdefault("registries", {})
        task = asyncio.current_task()
        if task not in registries:
            registries[task] = async_scoped_session(self.factory, scopefunc=self.current_scope)
        return registries[task]
