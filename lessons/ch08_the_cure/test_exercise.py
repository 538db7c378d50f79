"""What the mended engine must do: keep the contract, with nothing for the flight recorder to find."""

import gc
import weakref

from labkit.course.promises import expect, keeps, play
from labkit.course.story import count_connections
from labkit.services import Capability

ENGINES = 50


def test_two_engines_share_nothing(exercise, services):
    async def scene(engine_class, services):
        async with (
            engine_class(database_url=services.database_url, redis_url=services.redis_url) as one,
            engine_class(database_url=services.database_url, redis_url=services.redis_url) as other,
            one.session() as first,
            other.session() as second,
        ):
            expect("a session of each engine's own", found=first is second, to_be=False)

    play(scene, exercise.ChatEngine, services).get()


def test_what_a_block_writes_is_on_the_server_after_it(exercise, services):
    keeps(
        exercise.ChatEngine,
        services,
        "what_is_saved_is_on_the_server",
        "what_a_block_writes_is_on_the_server_after_it",
    )


def test_a_block_that_fails_gives_everything_back(exercise, services):
    keeps(
        exercise.ChatEngine,
        services,
        "a_block_that_fails_gives_its_connection_back",
        "a_block_that_fails_leaves_nothing",
        "blocks_that_fail_leave_room_for_others",
        "a_cancelled_block_gives_its_connection_back",
    )


def test_a_duplicate_is_refused_and_the_engine_goes_on(exercise, services):
    keeps(
        exercise.ChatEngine,
        services,
        "a_duplicate_is_an_integrity_error_and_leaves_nothing",
        "the_engine_goes_on_after_a_duplicate",
    )


def test_a_task_has_one_session_and_no_other_task_has_it(exercise, services):
    keeps(
        exercise.ChatEngine,
        services,
        "inside_one_task_it_is_always_the_same_session",
        "another_task_gets_its_own_session",
        "the_end_of_another_task_commits_nothing",
        "a_later_task_gets_a_new_session",
        "a_session_is_closed_with_its_block",
    )


def test_another_loop_is_refused(exercise, services):
    keeps(
        exercise.ChatEngine,
        services,
        "another_loop_is_refused_before_anything_is_sent",
        "two_loops_take_turns_each_with_an_engine_of_its_own",
    )


def test_nothing_is_left_when_it_has_closed(exercise, services):
    keeps(exercise.ChatEngine, services, "nothing_is_left_when_the_loop_ends")
    if Capability.PROCESSLIST in services.capabilities:
        keeps(exercise.ChatEngine, services, "close_leaves_no_connection_on_the_server")
        held = play(count_connections, exercise.ChatEngine, services).get()
        expect("no connection on the server after a duplicate", found=held.on_server_closed, to_be=0)


def test_each_engine_uses_its_own_pool(exercise, services):
    async def scene(engine_class, services):
        pools = []
        for number in range(1, ENGINES + 1):  # one after the other: a later one takes an earlier one's place
            engine = engine_class(database_url=services.database_url, redis_url=services.redis_url)
            async with engine, engine.session() as session:
                pool = session.get_bind()
            own = not any(pool is other for other in pools)
            expect(f"a session on its own pool in engine {number}", found=own, to_be=True)
            pools.append(pool)

    play(scene, exercise.ChatEngine, services).get()


def test_an_engine_that_is_dropped_is_not_kept(exercise, services):
    async def use_and_drop(engine_class, services):
        engine = engine_class(database_url=services.database_url, redis_url=services.redis_url)
        async with engine, engine.session():
            pass
        return weakref.ref(engine)

    async def scene(engine_class, services):
        dropped = [await use_and_drop(engine_class, services) for _ in range(3)]
        gc.collect()
        return sum(each() is not None for each in dropped)

    kept = play(scene, exercise.ChatEngine, services).get()
    expect("no engine in memory that nobody uses any more", found=kept, to_be=0)
