"""Reading through Redis: filled once, and never older than the last commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from sqlalchemy import ForeignKey, String, Table, event, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, load_only, mapped_column, relationship

from labkit.engine import Base, Engine, Message, Room, User
from labkit.engine.keys import Key, check_key
from labkit.engine.rows import dump, layout_of, load
from labkit.errors import InvalidInput
from labkit.services import Capability, Services

MakeEngine = Callable[..., Engine]
EMAIL = "ada@example.org"


class Halting(Engine):
    """An engine whose reads of the database halt, once they have read, until they are let go."""

    def __init__(self, *given: Any, **chosen: Any) -> None:
        super().__init__(*given, **chosen)
        self.reads = 0
        self.has_read = asyncio.Event()
        self.let_go = asyncio.Event()

    async def read(self, key: Key) -> Any:
        values = await super().read(key)
        self.reads += 1
        self.has_read.set()
        await self.let_go.wait()
        return values


@pytest.fixture
async def halting(make_engine: MakeEngine) -> Halting:
    engine = make_engine(Halting)
    assert isinstance(engine, Halting)
    await engine.open()
    await engine.create_tables()
    await engine.save(User(email=EMAIL, name="Ada"))
    return engine


@pytest.fixture
async def other(make_engine: MakeEngine, engine: Engine) -> Engine:
    """Another process's engine on the same servers, as far as Redis and MySQL can tell."""
    return await make_engine().open()


@pytest.fixture
async def ada(engine: Engine) -> User:
    user = User(email=EMAIL, name="Ada")
    await engine.save(user)
    return user


def counts(engine: Engine) -> tuple[int, int]:
    now = engine.statistics()
    return now.cache_hits, now.cache_misses


async def name(engine: Engine, **key: Any) -> str | None:
    user = await engine.get(User, **(key or {"email": EMAIL}))
    return user.name if user else None


async def test_the_second_get_comes_from_the_cache(
    engine: Engine, any_services: Services, ada: User, statements: Callable[[Engine], list[str]]
) -> None:
    sent = statements(engine)
    first, second = await engine.get(User, email=EMAIL), await engine.get(User, email=EMAIL)

    assert counts(engine) == (1, 1)
    assert len(sent) == 1
    assert first is not None
    assert second is not None
    assert first is not second
    assert inspect(first).dict.keys() == inspect(second).dict.keys()
    assert (first.id, first.name, first.created_at) == (second.id, second.name, second.created_at)


async def test_an_object_from_the_cache_is_one_from_the_database(
    engine: Engine, any_services: Services, ada: User
) -> None:
    await engine.get(User, email=EMAIL)
    cached = await engine.get(User, email=EMAIL)
    assert cached is not None
    assert inspect(cached).detached
    assert inspect(cached).identity == (ada.id,)
    assert not inspect(cached).modified
    cached.name = "Countess"
    assert inspect(cached).attrs.name.history.deleted == ["Ada"]
    await engine.save(cached)
    assert await name(engine) == "Countess"


async def test_what_is_not_there_is_none_and_not_cached(engine: Engine, any_services: Services) -> None:
    assert await engine.get(User, email=EMAIL) is None
    await engine.save(User(email=EMAIL, name="Ada"))
    assert await name(engine) == "Ada"


async def test_a_write_is_seen_by_the_next_get_under_every_key(
    engine: Engine, any_services: Services, ada: User
) -> None:
    for _ in range(3):
        await engine.get(User, email=EMAIL)
        await engine.get(User, id=ada.id)
    ada.name = "Countess"
    await engine.save(ada)
    assert await name(engine) == await name(engine, id=ada.id) == "Countess"


async def test_a_write_is_seen_by_another_engine(
    engine: Engine, other: Engine, any_services: Services, ada: User
) -> None:
    assert await name(other) == await name(other) == "Ada"
    ada.name = "Countess"
    await engine.save(ada)
    assert await name(other) == "Countess"


async def test_a_changed_key_is_not_found_under_the_old_one(
    engine: Engine, any_services: Services, ada: User
) -> None:
    await engine.get(User, email=EMAIL)
    ada.email = "lovelace@example.org"
    await engine.save(ada)

    assert await engine.get(User, email=EMAIL) is None
    assert await name(engine, email="lovelace@example.org") == "Ada"


async def test_a_deleted_row_is_not_found_any_more(engine: Engine, any_services: Services, ada: User) -> None:
    await engine.get(User, email=EMAIL)
    await engine.get(User, id=ada.id)
    await engine.delete(ada)

    assert await engine.get(User, email=EMAIL) is None
    assert await engine.get(User, id=ada.id) is None


async def test_a_block_that_is_rolled_back_leaves_the_cache_as_it_was(
    engine: Engine, any_services: Services, ada: User
) -> None:
    await engine.get(User, email=EMAIL)
    with pytest.raises(KeyError):  # noqa: PT012
        async with engine.session():
            user = await engine.get(User, email=EMAIL)
            assert user is not None
            user.name = "Nobody"
            await engine.save(user)
            raise KeyError
    hits, misses = counts(engine)

    assert await name(engine) == "Ada"
    assert counts(engine) == (hits + 1, misses)


async def test_what_a_block_committed_itself_is_forgotten_even_when_the_block_fails(
    engine: Engine, any_services: Services, ada: User
) -> None:
    await engine.get(User, email=EMAIL)
    with pytest.raises(KeyError):  # noqa: PT012
        async with engine.session() as session:
            ada.name = "Countess"
            await engine.save(ada)
            await session.commit()
            raise KeyError
    assert await name(engine) == "Countess"


@pytest.mark.needs(Capability.KILL)
async def test_a_commit_whose_answer_was_lost_is_taken_for_one(make_engine: MakeEngine, services: Services) -> None:
    class LosingTheAnswer(Engine):
        async def commit(self, task: Any, session: Any) -> None:
            await super().commit(task, session)
            raise ConnectionError

    async with make_engine() as engine:
        await engine.create_tables()
        ada = User(email=EMAIL, name="Ada")
        await engine.save(ada)
        await engine.get(User, email=EMAIL)
        async with make_engine(LosingTheAnswer) as losing:
            ada.name = "Countess"
            with pytest.raises(ConnectionError):
                await losing.save(ada)
        assert await name(engine) == "Countess"


@pytest.mark.needs(Capability.ISOLATION)
async def test_before_the_commit_others_get_the_old_row_and_after_it_the_new(
    engine: Engine, services: Services, ada: User
) -> None:
    await engine.get(User, email=EMAIL)
    async with engine.session():
        user = await engine.get(User, email=EMAIL)
        assert user is not None
        user.name = "Countess"
        await engine.save(user)
        assert await name(engine) == "Countess"
        assert await asyncio.create_task(name(engine)) == "Ada"
    assert await name(engine) == "Countess"


async def test_fifty_who_miss_together_read_the_database_once(halting: Halting, any_services: Services) -> None:
    readers = [asyncio.create_task(name(halting)) for _ in range(50)]
    while halting.statistics().cache_misses < 50:
        await asyncio.sleep(0)
    halting.let_go.set()

    assert await asyncio.gather(*readers) == ["Ada"] * 50
    assert halting.reads == 1


async def test_the_first_reader_cancelled_the_others_still_get_their_row(
    halting: Halting, any_services: Services
) -> None:
    readers = [asyncio.create_task(name(halting)) for _ in range(5)]
    while halting.statistics().cache_misses < 5:
        await asyncio.sleep(0)
    await halting.has_read.wait()
    readers[0].cancel()
    await asyncio.wait(readers[:1])
    halting.let_go.set()

    assert readers[0].cancelled()
    assert await asyncio.gather(*readers[1:]) == ["Ada"] * 4
    assert halting.reads == 1


async def test_a_read_that_fails_fails_for_all_who_wait_and_the_next_one_tries_again(
    make_engine: MakeEngine, any_services: Services
) -> None:
    class Failing(Engine):
        fails = True

        async def read(self, key: Key) -> Any:
            if self.fails:
                raise ZeroDivisionError
            return await super().read(key)

    async with make_engine(Failing) as engine:
        assert isinstance(engine, Failing)
        await engine.create_tables()
        outcomes = await asyncio.gather(*(name(engine) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in outcomes] == [ZeroDivisionError] * 5
        engine.fails = False
        assert await name(engine) is None


async def test_a_reader_who_started_before_a_write_can_not_put_the_old_row_back(
    halting: Halting, make_engine: MakeEngine, any_services: Services
) -> None:
    reader = asyncio.create_task(name(halting))
    await halting.has_read.wait()
    async with make_engine() as writer:
        user = await writer.get(User, id=1)
        assert user is not None
        user.name = "Countess"
        await writer.save(user)
        halting.let_go.set()

        assert await reader == "Ada"  # it did start before
        assert await name(writer) == "Countess"
    assert await name(halting) == "Countess"


async def test_a_reader_who_starts_after_a_write_does_not_join_one_who_started_before(
    halting: Halting, any_services: Services
) -> None:
    before = asyncio.create_task(name(halting))
    await halting.has_read.wait()
    async with halting.session():
        user = await halting.get(User, email=EMAIL)
        assert user is not None
        user.name = "Countess"
        await halting.save(user)
    after = asyncio.create_task(name(halting))
    while halting.reads < 2:
        await asyncio.sleep(0)
    halting.let_go.set()

    assert (await before, await after) == ("Ada", "Countess")


@pytest.mark.needs(Capability.SERVER)
async def test_another_spelling_of_a_key_is_found_as_the_server_says_and_never_cached(
    engine: Engine, services: Services, ada: User
) -> None:
    other_spelling = EMAIL.upper()
    found = await name(engine, email=other_spelling)
    ada.name = "Countess"
    await engine.save(ada)

    assert found in ("Ada", None)
    assert await name(engine, email=other_spelling) == ("Countess" if found else None)
    assert counts(engine)[0] == 0


async def test_a_bulk_update_is_seen_once_the_row_has_died_of_age(
    make_engine: MakeEngine, any_services: Services
) -> None:
    async with make_engine(cache_ttl=0.05) as engine, asyncio.timeout(10):
        await engine.create_tables()
        await engine.save(User(email=EMAIL, name="Ada"))
        await engine.get(User, email=EMAIL)
        async with engine.session() as session:
            await session.execute(update(User).values(name="Countess"))
        while await name(engine) == "Ada":
            await asyncio.sleep(0)


async def test_inside_a_block_it_sees_its_own_writes_and_the_cache_is_not_asked(
    engine: Engine, any_services: Services, ada: User
) -> None:
    before = counts(engine)
    async with engine.session() as session:
        user = await engine.get(User, email=EMAIL)
        assert user in session
        assert await engine.get(User, id=ada.id) is user
    assert counts(engine) == before


async def test_without_a_redis_url_it_reads_the_database(make_engine: MakeEngine, any_services: Services) -> None:
    async with make_engine(redis=False) as engine:
        await engine.create_tables()
        await engine.save(User(email=EMAIL, name="Ada"))
        assert await name(engine) == await name(engine) == "Ada"
        assert counts(engine) == (0, 0)


async def test_redis_holds_nothing_that_does_not_end(engine: Engine, any_services: Services, ada: User) -> None:
    await engine.get(User, email=EMAIL)
    ada.name = "Countess"
    await engine.save(ada)
    client = Redis.from_url(any_services.redis_url)
    keys = [key async for key in client.scan_iter()]

    assert keys
    assert all([await client.pttl(key) > 0 for key in keys])
    await client.aclose()


async def test_a_get_that_is_cancelled_anywhere_holds_nothing(
    engine: Engine,
    any_services: Services,
    ada: User,
    cancel_everywhere: Callable[..., Awaitable[list[bool]]],
) -> None:
    client = Redis.from_url(any_services.redis_url)

    async def check(cancelled: bool) -> None:
        await client.flushall()
        while engine.cache.reading:
            await asyncio.sleep(0)
        assert engine.statistics().checked_out == 0

    assert any(await cancel_everywhere(lambda: engine.get(User, email=EMAIL), check))
    assert await name(engine) == "Ada"
    await client.aclose()


@pytest.mark.parametrize(
    ("model", "key", "says"),
    [
        (User, {}, "User is found by id or email; found no key"),
        (User, {"nme": "Ada"}, "found nme"),
        (User, {"name": "Ada"}, "found name"),
        (User, {"id": 1, "email": EMAIL}, "found email, id"),
        (User, {"id": None}, r"User\.id in a key is a int, got None"),
        (User, {"id": "1"}, r"User\.id in a key is a int, got '1'"),
        (User, {"id": True}, r"User\.id in a key is a int, got True"),
        (User, {"email": None}, r"User\.email in a key is a str, got None"),
        (User, {"email": 0}, r"User\.email in a key is a str, got 0"),
        (Room, {"email": EMAIL}, "Room is found by id or name"),
        (int, {"id": 1}, "Expected a model"),
        ("User", {"id": 1}, "Expected a model"),
    ],
)
async def test_what_is_no_key_is_refused_before_anything_is_sent(
    offline: Engine, model: Any, key: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        await offline.get(model, **key)


def test_keys_that_differ_never_share_a_name() -> None:
    keys = [check_key(User, {"email": email}) for email in ("1", "a,id=1", "a'", 'a"', "a\\'", "A", "a")]
    keys += [check_key(User, {"id": 1}), check_key(Room, {"id": 1}), check_key(Room, {"name": "1"})]

    assert len(set(map(str, keys))) == len(keys)


def test_a_row_comes_out_of_json_as_it_went_in() -> None:
    moment = User.__table__.c.created_at.default.arg(None)

    assert load(User, dump((1, EMAIL, "🐍", moment))) == [1, EMAIL, "🐍", moment]
    assert load(Message, dump((1, 2, 3, "", None))) == [1, 2, 3, "", None]


async def test_a_duplicate_does_not_touch_the_cache(engine: Engine, any_services: Services, ada: User) -> None:
    await engine.get(User, email=EMAIL)
    with pytest.raises(IntegrityError):
        await engine.save(User(email=EMAIL, name="Nobody"))
    hits, misses = counts(engine)
    assert await name(engine) == "Ada"
    assert counts(engine) == (hits + 1, misses)


async def test_a_reader_cancelled_while_another_one_reads_leaves_nothing_behind(
    halting: Halting, any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for the generation when the other one's read ends, and can't be the one that drops it."""
    reader = asyncio.create_task(name(halting))
    await halting.has_read.wait()
    generation, asks = halting.cache._generation, asyncio.Event()

    async def never(key: Key) -> Any:
        asks.set()
        await asyncio.Event().wait()
        return await generation(key)

    monkeypatch.setattr(halting.cache, "_generation", never)
    monkeypatch.setattr(halting.cache, "peek", lambda key: asyncio.sleep(0))
    late = asyncio.create_task(name(halting))
    await asks.wait()
    halting.let_go.set()
    assert await reader == "Ada"
    late.cancel()
    await asyncio.wait([late])

    assert halting.cache.reading == 0


async def test_a_commit_under_way_at_close_still_tells_redis_and_nothing_runs_on(
    make_engine: MakeEngine, engine: Engine, any_services: Services, ada: User
) -> None:
    class Slow(Engine):
        async def commit(self, task: Any, session: Any) -> None:
            committing.set()
            await asyncio.sleep(0)
            await super().commit(task, session)

    committing = asyncio.Event()
    writer = await make_engine(Slow).open()
    await engine.get(User, email=EMAIL)
    before = asyncio.all_tasks()
    ada.name = "Countess"
    saving = asyncio.create_task(writer.save(ada))
    await committing.wait()
    await writer.close()
    await saving

    assert await name(engine) == "Countess"
    assert [task for task in asyncio.all_tasks() - before if "Redis" in task.get_name()] == []


async def rename_after_a_duplicate(engine: Engine, session: AsyncSession, ada: User) -> None:
    ada.email = "taken@example.org"
    with pytest.raises(IntegrityError):
        await engine.save(ada)
    ada.email = "new@example.org"
    await engine.save(ada)


async def rename_after_a_rollback(engine: Engine, session: AsyncSession, ada: User) -> None:
    found = await engine.get(User, email=EMAIL)
    await session.rollback()
    assert found is not None
    found.email = "new@example.org"


async def rename_what_was_not_loaded(engine: Engine, session: AsyncSession, ada: User) -> None:
    statement = select(User).where(User.email == EMAIL).options(load_only(User.name))
    (await session.execute(statement)).scalar_one().email = "new@example.org"


@pytest.mark.parametrize(
    "rename",
    [rename_after_a_duplicate, rename_after_a_rollback, rename_what_was_not_loaded],
)
async def test_a_row_is_not_found_under_the_key_that_it_had(
    engine: Engine, any_services: Services, ada: User, rename: Callable[..., Awaitable[None]]
) -> None:
    await engine.save(User(email="taken@example.org", name="Bob"))
    ada = await engine.get(User, email=EMAIL)  # type: ignore[assignment]
    async with engine.session() as session:
        await rename(engine, session, ada)

    assert await engine.get(User, email=EMAIL) is None
    assert await name(engine, email="new@example.org") == "Ada"


async def test_a_row_renamed_by_another_engine_and_then_by_this_one_is_found_under_its_last_key(
    engine: Engine, other: Engine, any_services: Services, ada: User
) -> None:
    theirs = await other.get(User, email=EMAIL)
    assert theirs is not None
    theirs.email = "theirs@example.org"
    await other.save(theirs)
    assert await name(other, email="theirs@example.org") == "Ada"
    ada.email = "ours@example.org"
    await engine.save(ada)

    assert await other.get(User, email="theirs@example.org") is None
    assert await name(other, email="ours@example.org") == "Ada"


async def test_a_cached_row_is_not_found_under_a_key_that_another_engine_has_taken_from_it(
    engine: Engine, other: Engine, any_services: Services, ada: User
) -> None:
    theirs = await other.get(User, id=ada.id)
    assert theirs is not None
    theirs.email = "theirs@example.org"
    await other.save(theirs)
    assert await name(engine, id=ada.id) == "Ada"  # cached, with its new key

    assert await engine.get(User, email=EMAIL) is None
    await other.save(User(email=EMAIL, name="Bob"))
    assert await name(engine) == "Bob"


async def test_who_never_heard_of_a_rename_still_makes_the_others_forget(
    engine: Engine, other: Engine, any_services: Services, ada: User
) -> None:
    theirs = await other.get(User, email=EMAIL)
    assert theirs is not None
    theirs.email = "theirs@example.org"
    await other.save(theirs)
    assert await name(other, email="theirs@example.org") == "Ada"
    ada.name = "Countess"  # this object, and its session, still have the old address
    await engine.save(ada)

    assert await name(other, email="theirs@example.org") == "Countess"


async def test_many_who_look_for_an_unknown_row_read_it_twice(
    make_engine: MakeEngine, any_services: Services, ada: User
) -> None:
    """Once to learn its primary key, and once, after they asked, for what it holds."""
    halting = make_engine(Halting)
    assert isinstance(halting, Halting)
    await halting.open()
    readers = [asyncio.create_task(name(halting)) for _ in range(50)]
    await halting.has_read.wait()
    halting.let_go.set()

    assert await asyncio.gather(*readers) == ["Ada"] * 50
    assert halting.reads == 2


async def test_a_key_of_a_subclass_is_refused(engine: Engine, any_services: Services) -> None:
    class Text(str): ...

    with pytest.raises(InvalidInput, match=r"User\.email in a key is a str"):
        await engine.get(User, email=Text(EMAIL))


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(50))
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelves.id"))


async def test_a_row_deleted_as_an_orphan_is_not_found_by_another_engine(
    make_engine: MakeEngine, any_services: Services
) -> None:
    async with make_engine() as engine, make_engine() as other:
        await engine.create_tables()
        await engine.save(shelf := Shelf(books=[Book(title="Sketch of the Engine")]))
        book = shelf.books[0].id
        assert await other.get(Book, id=book)
        assert await other.get(Book, id=book)
        async with engine.session() as session:
            session.add(shelf)
            shelf.books.clear()

        assert await other.get(Book, id=book) is None


async def change_in_a_listener(session: AsyncSession, user: User) -> None:
    def change(_: object) -> None:
        user.name = "Countess"

    session.add(Room(name="hall"))
    session.add(user)
    event.listen(session.sync_session, "before_commit", change)


async def leave_a_savepoint_open(session: AsyncSession, user: User) -> None:
    await session.begin_nested()
    session.add(user)
    user.name = "Countess"
    transaction = session.get_transaction()
    assert transaction is not None
    await transaction.commit()


@pytest.mark.parametrize("change", [change_in_a_listener, leave_a_savepoint_open])
async def test_what_is_flushed_at_the_last_moment_is_told_too(
    engine: Engine,
    other: Engine,
    any_services: Services,
    ada: User,
    change: Callable[[AsyncSession, User], Awaitable[None]],
) -> None:
    assert await name(other) == await name(other) == "Ada"
    async with engine.session() as session:
        await change(session, ada)

    assert await name(other) == "Countess"


async def test_redis_is_told_however_many_ask_it_at_once(
    engine: Engine, other: Engine, any_services: Services, ada: User
) -> None:
    assert await name(other) == await name(other) == "Ada"
    async with asyncio.TaskGroup() as tasks:
        for _ in range(150):
            tasks.create_task(name(engine))
        ada.name = "Countess"
        tasks.create_task(engine.save(ada))

    assert await name(other) == "Countess"
    assert engine.statistics().cache_unsent == 0


async def test_a_question_that_went_unanswered_keeps_no_write_from_being_told(
    engine: Engine, other: Engine, any_services: Services, ada: User
) -> None:
    assert await name(other) == await name(other) == "Ada"
    assert engine.redis is not None
    assert await engine.redis.ask(lambda redis: redis.execute_command("NOSUCH")) == (False, None)
    ada.name = "Countess"
    await engine.save(ada)

    assert await name(other) == "Countess"


async def test_an_outage_keeps_no_more_than_its_rows(
    engine: Engine, any_services: Services, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unanswered(question: object, **_: object) -> tuple[bool, None]:
        engine.redis.down = True  # type: ignore[union-attr]
        return False, None

    with monkeypatch.context() as away:
        away.setattr(engine.redis, "ask", unanswered)
        for number in range(60):
            ada.name = f"Ada {number}"
            await engine.save(ada)
        assert engine.statistics().cache_unsent == 1
        assert sum(map(len, engine.cache.unsent.values())) <= 1
    while engine.statistics().cache_unsent:
        await asyncio.sleep(0.01)
    assert await name(engine) == await name(engine) == "Ada 59"


def test_models_that_differ_share_no_row() -> None:
    class Archived(Base):
        __tablename__ = "users"
        __table_args__ = ({"schema": "archive"},)
        id: Mapped[int] = mapped_column(primary_key=True)

    Base.metadata.remove(cast(Table, Archived.__table__))  # no other test makes this table
    names = {str(Key(model, ("id",), (1,))) for model in (User, Archived)}
    assert len(names) == 2
    assert str(Key(User, ("id",), (True,))) == str(Key(User, ("id",), (1,)))
    assert layout_of(User) != layout_of(Archived)
