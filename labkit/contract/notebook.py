"""Notebook: what an engine must leave alone in a process that is not its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from labkit.contract.clause import clause, expect
from labkit.contract.stage import new_user, on_another_loop, opened
from labkit.engine import Engine
from labkit.services import Services


@clause(alone=True)
async def a_loop_that_has_run_is_closed(engine_class: type[Engine], services: Services) -> None:
    """`asyncio.run` does what Python says it does, also where an engine is open."""
    async with opened(engine_class, services):
        loop = await on_another_loop(_running_loop)
        expect("the loop of `asyncio.run` is closed after it", found=loop.is_closed(), to_be=True)
        loop.close()


@clause(alone=True, ends=True)
async def a_program_that_has_closed_its_engine_comes_to_its_end(
    engine_class: type[Engine], services: Services
) -> None:
    """No thread of an engine goes on after it; on SQLite, where each connection has one."""
    with tempfile.TemporaryDirectory() as folder:
        on_sqlite = replace(services, database_url=f"sqlite+aiosqlite:///{Path(folder, 'lab.db')}")
        await _as_a_program(engine_class, on_sqlite)


async def _as_a_program(engine_class: type[Engine], services: Services) -> None:
    # What a daemon starts is a daemon too, and keeps no process alive: a program's own thread is none.
    done: concurrent.futures.Future[None] = concurrent.futures.Future()

    def run() -> None:
        try:
            done.set_result(asyncio.run(_save(engine_class, services)))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="a program", daemon=False).start()
    await asyncio.wrap_future(done)


async def _save(engine_class: type[Engine], services: Services) -> None:
    async with opened(engine_class, services) as engine:
        await engine.save(new_user())


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
