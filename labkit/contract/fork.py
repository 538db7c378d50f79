"""Fork: a child inherits everything but the right to use it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable

from labkit.contract.alone import add_findings
from labkit.contract.clause import clause, expect, promised
from labkit.contract.reads import sent_through
from labkit.contract.stage import new_engine
from labkit.engine import Engine, User
from labkit.errors import WrongProcess
from labkit.recorder import FlightRecorder, find
from labkit.recorder.json_format import load
from labkit.services import Capability, Services


# SQLite has no server whose answers could be taken away; and its threads are not there in a child.
@clause(Capability.SERVER, alone=True)
async def a_forked_child_is_refused_and_its_parent_goes_on(engine_class: type[Engine], services: Services) -> None:
    """The child is told before it says a word to the server of its parent."""
    # A child could not go on with a loop that is running: the engine gets one that rests meanwhile.
    await asyncio.to_thread(_fork, engine_class, services)


def _fork(engine_class: type[Engine], services: Services) -> None:
    with FlightRecorder() as flight, asyncio.Runner() as runner:
        engine = runner.run(new_engine(engine_class, services).open())
        runner.run(engine.create_tables())
        runner.run(engine.find(User))  # a connection for the next read lies idle
        try:
            with sent_through(engine) as sent:
                said = _in_child(lambda: json.dumps([_use(runner, engine), sent, flight.to_json()]))
            told, sent_by_child, record = json.loads(said)
            add_findings(find(flight.record(), load(record)))
            expect("the child is refused", found=told, to_be=WrongProcess.__name__)
            expect("nothing is sent by the child", found=sent_by_child, to_be=[])
            with promised("the parent goes on"):
                runner.run(engine.find(User))
        finally:
            runner.run(engine.close())


def _use(runner: asyncio.Runner, engine: Engine) -> str:
    """Use an engine on the loop that opened it; return what came of it."""
    try:
        return f"{len(runner.run(engine.find(User)))} objects"
    except Exception as error:
        return type(error).__name__


def _in_child(work: Callable[[], str]) -> str:
    """Return what `work` says in a forked child."""
    if sys.platform == "win32":  # `check_alone` does not play this there
        raise NotImplementedError
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # From Python 3.12 on a fork among threads is warned of: the clause's own, and no engine's.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        status = 1
        try:
            with os.fdopen(writing, "w") as pipe:
                pipe.write(work())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise ChildProcessError(f"The forked child ended with status {os.waitstatus_to_exitcode(status)}.")
    return said
