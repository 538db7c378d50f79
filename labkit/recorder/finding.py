"""A finding: one fault, in a sentence a learner understands, with the line to look at and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.recorder.snapshot import Place

__all__ = ["CODES", "Code", "Finding"]


@dataclass(frozen=True, slots=True)
class Code:
    """What every finding of one code has in common."""

    advice: str
    lesson: str


CODES = {
    "registry-rebuilt": Code(
        "Build the engine, the session factory and the registry once, where the application starts, and keep them.",
        "ch08_the_cure",
    ),
    "lost-write": Code(
        "Commit before the session ends: `await session.commit()`, or `async with session.begin():` around it.",
        "ch07_who_is_my_session",
    ),
    "scope-mismatch": Code(
        "In the task that used the registry, `await registry.remove()` in a `finally`; or give each unit of work "
        "its own `async with factory() as session:`.",
        "ch07_who_is_my_session",
    ),
    "leaked-connection": Code(
        "Use `async with` for the session or the connection, so that it is closed on every way out.",
        "ch06_the_pool",
    ),
    "engine-not-disposed": Code(
        "`await engine.dispose()` in a `finally`, in the loop that used the engine, before that loop ends.",
        "ch10_not_disposed_is_not_leaked",
    ),
    "pool-crossed-loops": Code(
        "Keep one loop for the engine's whole life, or one engine for each loop, disposed before its loop ends; "
        "`NullPool` where loops come and go.",
        "ch09_same_bug_other_faces",
    ),
    "redis-crossed-loops": Code(
        "Make one Redis client for each loop, and `await client.aclose()` before that loop ends.",
        "ch09_same_bug_other_faces",
    ),
    "primitive-crossed-loops": Code(
        "Make the lock, event or queue inside the loop that uses it, not at import.",
        "ch01_the_loop",
    ),
    "session-shared": Code(
        "Give each task its own session, opened inside the task.",
        "ch07_who_is_my_session",
    ),
    "implicit-io": Code(
        "Load what you will read while you can await: `selectinload`, `await session.refresh(obj, [...])`, "
        "or `expire_on_commit=False` for columns.",
        "ch03_building_the_engine",
    ),
    "cancelled-while-holding": Code(
        "Hold the connection in `async with`: it is then closed when the task is cancelled or timed out.",
        "ch06_the_pool",
    ),
    "pool-exhausted": Code(
        "Shorten what the holders do while they hold; do not wait for other things with a connection in hand.",
        "ch06_the_pool",
    ),
    "nested-checkout": Code(
        "Pass on the session that you have, or give it back before you ask for another.",
        "ch06_the_pool",
    ),
    "pool-crossed-fork": Code(
        "Make the engine after the fork, or call `engine.sync_engine.dispose(close=False)` first in the child.",
        "ch09_same_bug_other_faces",
    ),
    "stale-connection": Code(
        "Set `pool_pre_ping=True`, and `pool_recycle` below the server's `wait_timeout`.",
        "ch09_same_bug_other_faces",
    ),
    "redis-leaked-connection": Code(
        "Use `async with` for the client and for `client.pubsub()`, or `await ….aclose()` in a `finally`.",
        "ch09_same_bug_other_faces",
    ),
    "lost-task": Code(
        "Keep the task and await it before the loop ends: `async with asyncio.TaskGroup()`.",
        "ch01_the_loop",
    ),
    "abandoned-generator": Code(
        "Leave the generator through `async with contextlib.aclosing(…)`, or make it a context manager.",
        "ch05_reading_the_traceback",
    ),
    "nest-asyncio-active": Code(
        "Do without the patch: `await` in the notebook's own loop, or a thread with a loop of its own.",
        "ch02_the_loop_in_jupyter",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One fault. `where` is the user's line, `evidence` what else was seen, `consequences` what followed from it.

    `task` is the task's name, `loop` its loop's number, `connection` the connection's number, each None when the
    fault has none; `loop_closed` says whether that loop had closed; `age` is in seconds.
    """

    code: str
    summary: str
    where: Place | None
    evidence: tuple[str, ...] = ()
    task: str | None = None
    loop: int | None = None
    loop_closed: bool = False
    connection: int | None = None
    age: float | None = None
    at: int = 0  # microseconds since the recorder began
    test: str | None = None
    pid: int = 0  # the process in which it happened
    times: int = 1  # how often it happened at this line
    consequences: tuple[Finding, ...] = ()
