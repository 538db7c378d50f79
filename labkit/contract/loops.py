"""Loops: an engine belongs to the event loop that opened it, and engines of different loops share nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from labkit.contract.clause import clause, expect, promised
from labkit.contract.reads import sent_through
from labkit.contract.stage import in_place_of_this_loop, new_engine, new_user, on_another_loop, opened
from labkit.engine import Engine, User
from labkit.errors import WrongLoop
from labkit.services import Services


@clause()
async def another_loop_is_refused_before_anything_is_sent(engine_class: type[Engine], services: Services) -> None:
    """A loop that did not open the engine is told so, and its own loop goes on."""
    async with opened(engine_class, services) as engine:
        await engine.find(User)  # a connection for the next read lies idle
        with sent_through(engine) as sent:
            with _refused("another loop is refused"):
                in_place_of_this_loop(engine.find, User)
            expect("nothing is sent from another loop", found=sent, to_be=[])
        with promised("the engine goes on in its own loop"):
            await engine.find(User)


@clause()
async def two_loops_take_turns_each_with_an_engine_of_its_own(
    engine_class: type[Engine], services: Services
) -> None:
    """What one loop has read, through the cache too, another one can read while both are open."""
    ada = new_user()
    email = ada.email
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        with promised("the first loop reads"):
            await engine.get(User, email=email)
        with promised("the second loop reads what the first one has read"):
            found = await on_another_loop(_read, engine_class, services, email)
            expect("the same object on the second loop", found=found, to_be="Ada")
        with promised("the first loop reads again"):
            await engine.get(User, email=email)


@clause(alone=True)  # whatever an engine class remembers of loops: it begins with this one
async def two_tasks_at_once_open_an_engine_on_any_loop(engine_class: type[Engine], services: Services) -> None:
    """One task opens it and the other waits, on this loop and then on another one."""
    expect("both tasks open it", found=await _open_at_once(engine_class, services), to_be=[])
    failures = await on_another_loop(_open_at_once, engine_class, services)
    expect("both tasks open it on another loop too", found=failures, to_be=[])


@contextmanager
def _refused(wanted: str) -> Iterator[None]:
    try:
        yield
    except WrongLoop:
        return
    except Exception as error:
        raise AssertionError(f"expected: {wanted}; got: {type(error).__name__}: {error}") from error
    raise AssertionError(f"expected: {wanted}; got: it was let in")


async def _read(engine_class: type[Engine], services: Services, email: str) -> str | None:
    async with new_engine(engine_class, services) as engine:
        found = await engine.get(User, email=email)
        return found.name if found is not None else None


async def _open_at_once(engine_class: type[Engine], services: Services) -> list[str]:
    """Return what failed."""
    engine = new_engine(engine_class, services)
    told = await asyncio.gather(engine.open(), engine.open(), return_exceptions=True)
    await engine.close()
    return [f"{type(each).__name__}: {each}" for each in told if isinstance(each, BaseException)]
