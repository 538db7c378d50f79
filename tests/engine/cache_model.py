"""
A model of the cache's protocol (`labkit/engine/cache.py`), and all that can happen in it.

    python tests/engine/cache_model.py                          visit every state; print how many, and each step
    python tests/engine/cache_model.py --without generation     the same without one part of the protocol

Two writers and two readers of one row, one Redis. Every order of their steps is tried, and at every step a fault:
an order to Redis is lost, or is carried out and its answer is lost; a writer dies; Redis forgets all that it
holds, or one entry expires. A state is bad if a reader returns a row older than a write that was acknowledged
before the reader began, and of which Redis knew: it was told before the commit and has not restarted since, or it
was told after it.

Exit status: 0 if no state is bad, 1 with the steps that lead to one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

PARTS = ("generation", "protection", "resending")


class Redis(NamedTuple):
    generation: int | None = None
    row: tuple[int, int] | None = None  # the generation under which it was read, and its version
    writers: frozenset[int] = frozenset()


class Writer(NamedTuple):
    at: str = "begins"  # begins, marked, committed, unmarked, done, dead
    reached: bool = False  # Redis knows of this write
    unsent: bool = False  # Redis must be told, and the sender will
    sender: str = ""  # its order is sent, or carried out; its answer has not come
    again: bool = False  # when it comes, Redis must be told once more
    version: int = 0


class Reader(NamedTuple):
    at: str = "begins"  # begins, missed, reads, fills, done
    wanted: int = 0  # the newest acknowledged version when it began
    generation: int | None = None
    version: int = -1


EMPTY, WRITERS, READERS = Redis(), (Writer(), Writer()), (Reader(), Reader())


@dataclass(frozen=True)
class State:
    version: int = 0  # in the database
    acknowledged: int = 0
    locked_by: int | None = None
    redis: Redis = EMPTY
    writers: tuple[Writer, Writer] = WRITERS
    readers: tuple[Reader, Reader] = READERS
    faults: int = 0


Step = tuple[str, State]


class Model:
    """What can happen next; `without` leaves out a part of the protocol, so that it can be seen what it is for."""

    def __init__(self, without: str, faults: int) -> None:
        self.without = without
        self.faults = faults  # at most so many in one history

    def steps(self, state: State) -> Iterator[Step]:
        """Yield each step that is possible in `state`, with its name and what follows."""
        for number in range(2):
            yield from self._writer(state, number)
            yield from self._reader(state, number)
        if state.faults < self.faults:
            yield from self._redis_forgets(state)

    def _redis_forgets(self, state: State) -> Iterator[Step]:
        redis = state.redis
        forgotten = [("Redis restarts empty", Redis()), ("the row expires", redis._replace(row=None))]
        forgotten.append(("the generation expires", redis._replace(generation=None)))
        for name, after in forgotten:
            if after != redis:
                writers = state.writers
                if not after.writers:  # what it was told before the commit it does not know any more
                    first, second = (self._forgotten(writer) for writer in writers)
                    writers = first, second
                yield name, replace(state, redis=after, writers=writers, faults=state.faults + 1)

    @staticmethod
    def _forgotten(writer: Writer) -> Writer:
        return writer._replace(reached=False) if writer.at in ("marked", "committed") else writer

    # Writers.

    def _writer(self, state: State, number: int) -> Iterator[Step]:
        writer = state.writers[number]
        name = f"writer {number}"
        if writer.at == "begins" and state.locked_by is None:
            locked = replace(state, locked_by=number)
            for how, redis, answered in self._tell(state, lambda redis: self._mark(state, redis, number)):
                marked = writer._replace(at="marked", reached=answered, unsent=not answered)
                yield f"{name} marks{how}", self._with(locked, number, marked, redis, fault=bool(how))
        elif writer.at == "marked":
            committed = replace(state, version=state.version + 1, locked_by=None)
            after = writer._replace(at="committed", version=state.version + 1)
            yield f"{name} commits", self._with(committed, number, after)
        elif writer.at == "committed":
            yield from self._unmark(state, number)
        elif writer.at == "unmarked":
            yield f"{name} is acknowledged", self._acknowledge(state, number, writer._replace(at="done"))
        if writer.at not in ("begins", "done", "dead") and state.faults < self.faults:
            unlocked = replace(state, locked_by=None if state.locked_by == number else state.locked_by)
            yield f"{name} dies", self._with(unlocked, number, Writer("dead"), fault=True)
        if writer.at != "dead":
            yield from self._sender(state, number)

    def _sender(self, state: State, number: int) -> Iterator[Step]:
        writer, name = state.writers[number], f"writer {number}'s sender"
        if writer.unsent and not writer.sender:
            yield f"{name} begins", self._with(state, number, writer._replace(sender="sent"))
        elif writer.sender == "sent":
            redis = self._unmarked(state, state.redis, number)
            yield f"{name}'s order is carried out", self._with(state, number, writer._replace(sender="done"), redis)
        elif writer.sender == "done":
            told = writer.at in ("unmarked", "done") and not writer.again
            sent = writer._replace(sender="", unsent=writer.again, again=False, reached=writer.reached or told)
            yield f"{name} is answered", self._acknowledge(state, number, sent)

    def _unmark(self, state: State, number: int) -> Iterator[Step]:
        writer, name = state.writers[number], f"writer {number}"
        if writer.unsent:
            # The order may be on its way, or carried out before the commit: it has to be sent once more.
            again = bool(writer.sender) and self.without != "resending"
            yield (
                f"{name} leaves it to its sender",
                self._with(state, number, writer._replace(at="unmarked", again=again)),
            )
            return
        for how, redis, answered in self._tell(state, lambda redis: self._unmarked(state, redis, number)):
            after = writer._replace(at="unmarked", reached=writer.reached or answered, unsent=not answered)
            yield f"{name} unmarks{how}", self._with(state, number, after, redis, fault=bool(how))

    def _tell(self, state: State, order: object) -> Iterator[tuple[str, Redis, bool]]:
        assert callable(order)
        yield "", order(state.redis), True
        if state.faults < self.faults:
            yield ", and the order is lost", state.redis, False
            yield ", and the answer is lost", order(state.redis), False

    def _mark(self, state: State, redis: Redis, number: int) -> Redis:
        writers = redis.writers if self.without == "protection" else redis.writers | {number}
        return redis._replace(generation=_new(state), writers=writers)

    @staticmethod
    def _unmarked(state: State, redis: Redis, number: int) -> Redis:
        return redis._replace(generation=_new(state), writers=redis.writers - {number})

    def _acknowledge(self, state: State, number: int, writer: Writer) -> State:
        state = self._with(state, number, writer)
        if writer.at == "done" and writer.reached:
            return replace(state, acknowledged=max(state.acknowledged, writer.version))
        return state

    @staticmethod
    def _with(
        state: State, number: int, writer: Writer, redis: Redis | None = None, *, fault: bool = False
    ) -> State:
        writers = (writer, state.writers[1]) if number == 0 else (state.writers[0], writer)
        return replace(state, writers=writers, redis=redis or state.redis, faults=state.faults + fault)

    # Readers.

    def _reader(self, state: State, number: int) -> Iterator[Step]:
        reader, redis, name = state.readers[number], state.redis, f"reader {number}"

        def then(after: Reader, redis: Redis = redis) -> State:
            readers = (after, state.readers[1]) if number == 0 else (state.readers[0], after)
            return replace(state, readers=readers, redis=redis)

        if reader.at == "begins":
            reader = reader._replace(wanted=state.acknowledged)
            if redis.row is not None and self._is_trusted(redis):
                yield f"{name} hits", then(reader._replace(at="done", version=redis.row[1]))
            else:
                yield f"{name} misses", then(reader._replace(at="missed"))
        elif reader.at == "missed":
            generation = _new(state) if redis.generation is None else redis.generation
            leased = redis._replace(generation=generation)
            if redis.writers:
                generation = None
            yield f"{name} takes the generation", then(reader._replace(at="reads", generation=generation), leased)
        elif reader.at == "reads":
            read = reader._replace(version=state.version)
            after = read._replace(at="done" if reader.generation is None else "fills")
            yield f"{name} reads the database", then(after)
            for other in state.readers:  # it may join a read that is under way
                if other.at == "fills" and other.generation == reader.generation is not None:
                    yield f"{name} joins a read", then(reader._replace(at="done", version=other.version))
        elif reader.at == "fills":
            assert reader.generation is not None
            filled = redis._replace(row=(reader.generation, reader.version))
            yield f"{name} fills", then(reader._replace(at="done"), filled)

    def _is_trusted(self, redis: Redis) -> bool:
        assert redis.row is not None
        return self.without == "generation" or redis.row[0] == redis.generation


def _new(state: State) -> int:
    """Return a token that nobody holds."""
    held = {state.redis.generation, *(reader.generation for reader in state.readers)}
    held |= {state.redis.row[0]} if state.redis.row else set()
    return next(token for token in range(10) if token not in held)


def is_bad(state: State) -> bool:
    """Return True if a reader has returned a row older than it had to be."""
    return any(reader.at == "done" and reader.version < reader.wanted for reader in state.readers)


def explore(without: str = "", faults: int = 1) -> tuple[int, Counter[str], list[str]]:
    """Visit every state; return how many, how often each step was taken, and the way to the first bad state."""
    model, first = Model(without, faults), State()
    came_from: dict[State, tuple[State, str] | None] = {first: None}
    taken: Counter[str] = Counter()
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        for name, after in model.steps(state):
            taken[name] += 1
            if after in came_from:
                continue
            came_from[after] = state, name
            if is_bad(after):
                return len(came_from), taken, _way(came_from, after)
            waiting.append(after)
    return len(came_from), taken, []


def _way(came_from: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    names: list[str] = []
    while (before := came_from[state]) is not None:
        state, name = before
        names.append(name)
    return names[::-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", choices=PARTS, default="", help="leave out a part of the protocol")
    parser.add_argument("--faults", type=int, default=1, help="at most so many in one history; two take gigabytes")
    arguments = parser.parse_args()
    states, taken, way = explore(arguments.without, arguments.faults)
    for name, count in sorted(taken.items()):
        print(f"{count:9,}  {name}")
    print(f"{states:,} states, {sum(taken.values()):,} steps: {'a bad one' if way else 'no bad one'}")
    for number, name in enumerate(way, start=1):
        print(f"{number:4}. {name}")
    return 1 if way else 0


if __name__ == "__main__":
    sys.exit(main())
