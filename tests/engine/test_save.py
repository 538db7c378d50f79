"""Saving: inserted or updated in one transaction, all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import String, func, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from labkit.engine import Base, Engine, Message, Room, User
from labkit.errors import InvalidInput
from labkit.services import Services
from labkit.services.evidence import count_rows

MakeEngine = Callable[..., Engine]


def ada(email: str = "ada@example.org", **values: object) -> User:
    return User(email=email, **({"name": "Ada"} | values))


async def test_a_new_object_is_inserted_and_knows_its_id(engine: Engine, any_services: Services) -> None:
    user = ada()
    await engine.save(user)

    assert user.id == 1
    assert await count_rows(any_services, "users", id=1, email="ada@example.org", name="Ada") == 1


async def test_a_changed_object_is_updated(engine: Engine, any_services: Services) -> None:
    await engine.save(ada())
    user = await engine.get(User, email="ada@example.org")
    assert user is not None
    user.name = "Countess"
    await engine.save(user)

    assert await count_rows(any_services, "users", name="Countess") == 1
    assert await count_rows(any_services, "users") == 1


async def test_an_unchanged_object_is_not_written_again(
    engine: Engine, any_services: Services, statements: Callable[[Engine], list[str]]
) -> None:
    user = ada()
    await engine.save(user)
    sent = statements(engine)
    await engine.save(user)

    assert [each for each in sent if each.startswith(("INSERT", "UPDATE"))] == []


async def test_a_duplicate_is_an_integrity_error_and_leaves_nothing_behind(
    engine: Engine, any_services: Services
) -> None:
    await engine.save(ada())
    for _ in range(3):
        with pytest.raises(IntegrityError):
            await engine.save(ada())

    assert await count_rows(any_services, "users") == 1
    assert engine.statistics().checked_out == 0
    assert engine.statistics().sessions == ()


async def test_many_are_saved_or_none(engine: Engine, any_services: Services) -> None:
    first, second = ada("bob@example.org"), ada("cy@example.org")
    await engine.save(ada())
    with pytest.raises(IntegrityError):
        await engine.save(first, ada(), second)
    assert await count_rows(any_services, "users") == 1

    await engine.save(first, second)
    assert await count_rows(any_services, "users") == 3


async def test_what_was_rolled_back_can_be_saved_again_beside_others(
    engine: Engine, any_services: Services
) -> None:
    user = ada("bob@example.org")
    await engine.save(ada())
    with pytest.raises(IntegrityError):
        await engine.save(user, ada())
    await engine.save(ada("cy@example.org"))
    await engine.save(user)

    assert await count_rows(any_services, "users") == 3


async def test_related_objects_are_saved_together(engine: Engine, any_services: Services) -> None:
    author, room = ada(), Room(name="tea")
    await engine.save(Message(room=room, author=author, body="hello"))

    assert await count_rows(any_services, "messages", room_id=room.id, author_id=author.id) == 1


async def test_after_save_an_object_needs_the_database_no_more(engine: Engine, any_services: Services) -> None:
    user = ada()
    await engine.save(user)

    assert inspect(user).detached
    assert (user.id, user.name) == (1, "Ada")


async def test_a_moment_comes_back_aware_and_to_the_microsecond(engine: Engine, any_services: Services) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=east)
    await engine.save(ada(created_at=moment))
    for user in (await engine.get(User, id=1), await engine.get(User, id=1), (await engine.find(User))[0]):
        assert user is not None
        assert user.created_at == moment
        assert user.created_at.tzinfo is UTC
        assert user.created_at.microsecond == 123456


async def test_a_value_may_be_left_to_the_server(engine: Engine, any_services: Services) -> None:
    await engine.save(user := ada())
    user.name = (
        func.concat("Countess ", User.name) if any_services.provider != "sqlite" else func.upper("Countess Ada")
    )
    await engine.save(user)
    found = await engine.get(User, id=user.id)
    assert found is not None
    assert found.name.lower() == "countess ada"


async def test_every_text_comes_back_as_it_was(engine: Engine, any_services: Services) -> None:
    names = ["🐍 Ünïcödé 日本語 𝕏", "' OR 1=1 --", 'a"b\\c%s%%', "", "tab\tnew\nline", "x" * 100]  # noqa: RUF001
    for number, name in enumerate(names, start=1):
        await engine.save(ada(f"user{number}@example.org", name=name))
        for user in (await engine.get(User, id=number), await engine.get(User, id=number)):
            assert user is not None
            assert user.name == name
    assert [user.name for user in await engine.find(User)] == names


async def test_a_long_body_comes_back_whole(engine: Engine, any_services: Services) -> None:
    author, room, body = ada(), Room(name="tea"), "🐍x" * 10_000
    await engine.save(author, room)
    await engine.save(Message(room_id=room.id, author_id=author.id, body=body))

    [message] = await engine.find(Message)
    assert message.body == body


async def test_a_save_happened_or_not_wherever_it_is_cancelled(
    engine: Engine, any_services: Services, cancel_everywhere: Callable[..., Awaitable[list[bool]]]
) -> None:
    emails = [f"user{i}@example.org" for i in range(1000)]
    attempts = iter(emails)
    tried = []

    async def save() -> None:
        tried.append(next(attempts))
        await engine.save(ada(tried[-1]))

    async def check(cancelled: bool) -> None:
        rows = await count_rows(any_services, "users", email=tried[-1])
        assert rows in (0, 1)
        assert cancelled or rows == 1
        assert engine.statistics().checked_out == 0
        assert engine.statistics().sessions == ()

    assert any(await cancel_everywhere(save, check))
    assert await count_rows(any_services, "users", email=tried[-1]) == 1


async def test_two_tasks_that_save_the_same_key_give_one_row_and_one_error(
    engine: Engine, any_services: Services
) -> None:
    outcomes = await asyncio.gather(*(engine.save(ada()) for _ in range(5)), return_exceptions=True)

    assert outcomes.count(None) == 1
    assert [type(each) for each in outcomes if each] == [IntegrityError] * 4
    assert await count_rows(any_services, "users") == 1


async def test_a_deleted_object_is_gone_and_deleting_it_again_is_no_error(
    engine: Engine, any_services: Services
) -> None:
    user = ada()
    await engine.save(user)
    again = await engine.get(User, id=1)
    assert again is not None
    await engine.delete(user)
    await engine.delete(again)

    assert await count_rows(any_services, "users") == 0
    assert await engine.get(User, id=1) is None


async def test_what_others_need_can_not_be_deleted_and_the_block_goes_on(
    engine: Engine, any_services: Services
) -> None:
    author = ada()
    await engine.save(Message(room=Room(name="tea"), author=author, body="hello"))
    room = await engine.get(Room, name="tea")
    assert room is not None
    with pytest.raises(IntegrityError):
        await engine.delete(room)
    async with engine.session():
        with pytest.raises(IntegrityError):
            await engine.delete(room)
        await engine.save(ada("bob@example.org"))

    assert await count_rows(any_services, "rooms") == 1
    assert await count_rows(any_services, "users") == 2


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ((), "got none"),
        ((3,), "Expected a model, got <class 'int'>"),
        ((None,), "Expected a model"),
        ((User,), "Expected a model"),
        (("text",), "Expected a model"),
        ((User(name="Ada"),), r"User\.email can't be None"),
        ((User(email=None, name="Ada"),), r"User\.email can't be None"),
        ((User(email="a" * 191, name="Ada"),), r"User\.email holds at most 190 characters, got 191"),
        ((User(email="a", name="x" * 101),), r"User\.name holds at most 100 characters"),
        ((User(email=b"a", name="Ada"),), r"User\.email holds text, got b'a'"),
        ((User(email=3, name="Ada"),), r"User\.email holds text, got 3"),
        ((User(email="a", name="Ada"), 3), "Expected a model"),
        ((Message(body="hello"),), r"Message\.room_id can't be None"),
        ((User(id="x", email="a", name="Ada"),), r"User\.id holds a number of 32 bits, got 'x'"),
        ((User(id=2**31, email="a", name="Ada"),), r"User\.id holds a number of 32 bits, got 2147483648"),
        ((User(email="a", name="\ud83d"),), r"User\.name holds text, got half of a surrogate pair"),
        ((User(email="a", name="Ada", created_at="today"),), r"User\.created_at holds a moment"),
        ((User(email="a", name="Ada", created_at=datetime(2026, 1, 1)),), r"User\.created_at .* time zone"),
    ],
)
async def test_what_can_not_be_saved_is_refused_before_anything_is_sent(
    offline: Engine,
    objects: tuple[User, ...],
    says: str,
) -> None:
    with pytest.raises(InvalidInput, match=says):
        await offline.save(*objects)


@pytest.mark.parametrize(("instance", "says"), [(3, "Expected a model"), (ada(), "Expected a saved object")])
async def test_what_can_not_be_deleted_is_refused_before_anything_is_sent(
    offline: Engine, instance: User, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        await offline.delete(instance)


async def test_a_save_that_waits_for_a_connection_can_be_cancelled_at_once(
    make_engine: Callable[..., Engine], any_services: Services
) -> None:
    async with make_engine(pool_size=1, max_overflow=0, pool_timeout=60) as engine:
        await engine.create_tables()
        async with engine.session() as holder:
            await holder.connection()
            waiter = asyncio.create_task(engine.save(ada()))
            while not engine.statistics().waiting:
                await asyncio.sleep(0)

            waiter.cancel()

            await asyncio.wait([waiter])
            assert waiter.cancelled()
            assert engine.statistics().checked_out == 1


class Counted(Base):
    __tablename__ = "counted"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    visits: Mapped[int] = mapped_column(server_default="7")


async def test_what_the_server_fills_in_can_be_read_after_the_save(
    make_engine: MakeEngine, any_services: Services
) -> None:
    async with make_engine() as engine:
        await engine.create_tables()
        each = Counted(name="Ada")
        await engine.save(each)
        assert each.visits == 7
