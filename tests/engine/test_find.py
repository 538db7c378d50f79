"""Pages of rows: bounded, in a total order, and stable while others write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, inspect, text
from sqlalchemy.exc import InvalidRequestError

from labkit.engine import Engine, Message, Room, User
from labkit.errors import InvalidInput
from labkit.services import Services

NAMES = ["Ada", "Bob", "Ada", "Cy", "Bob", "Ada", "Dee"]


@pytest.fixture
async def users(engine: Engine) -> list[User]:
    users = [User(email=f"user{i}@example.org", name=name) for i, name in enumerate(NAMES)]
    await engine.save(*users)
    return users


async def pages(engine: Engine, *where: Any, **how: Any) -> list[list[int]]:
    found, after = [], None
    while page := await engine.find(User, *where, after=after, **how):
        found.append([user.id for user in page])
        after = page[-1]
    return found


async def test_without_conditions_it_finds_all_by_id(
    engine: Engine, any_services: Services, users: list[User]
) -> None:
    assert [user.id for user in await engine.find(User)] == [user.id for user in users]


async def test_every_condition_counts(engine: Engine, any_services: Services, users: list[User]) -> None:
    found = await engine.find(User, User.name == "Ada", User.id > users[0].id)
    assert [user.id for user in found] == [users[2].id, users[5].id]


async def test_nothing_found_is_an_empty_list(engine: Engine, any_services: Services) -> None:
    assert await engine.find(User) == []


@pytest.mark.parametrize(
    "order_by",
    [
        None,
        User.id.desc(),
        User.name,
        User.name.desc(),
        [User.name, User.id.desc()],
        [User.name.desc(), User.email],
        [User.created_at, User.name],
    ],
    ids=["nothing", "id down", "name", "name down", "name, id down", "name down, email", "created_at, name"],
)
async def test_pages_together_are_all_rows_once_in_order(
    engine: Engine, any_services: Services, users: list[User], order_by: Any
) -> None:
    whole = [user.id for user in await engine.find(User, order_by=order_by)]
    assert sorted(whole) == [user.id for user in users]
    for size in (1, 2, 3, 7, 8):
        paged = await pages(engine, order_by=order_by, limit=size)
        assert [number for page in paged for number in page] == whole
        assert all(len(page) == size for page in paged[:-1])


async def test_a_row_written_meanwhile_neither_repeats_nor_hides_another(
    engine: Engine, any_services: Services, users: list[User]
) -> None:
    first = await engine.find(User, order_by=User.name, limit=3)
    await engine.save(User(email="before@example.org", name="Aaron"), User(email="behind@example.org", name="Zoe"))
    await engine.delete(first[0])
    rest = await engine.find(User, order_by=User.name, after=first[-1])

    assert [user.name for user in first] == ["Ada", "Ada", "Ada"]
    assert [user.name for user in rest] == ["Bob", "Bob", "Cy", "Dee", "Zoe"]


async def test_in_a_block_it_sees_what_the_block_wrote(
    engine: Engine, any_services: Services, users: list[User]
) -> None:
    async with engine.session() as session:
        await engine.save(User(email="eve@example.org", name="Eve"))
        [eve] = await engine.find(User, User.name == "Eve")
        assert eve in session


async def test_objects_found_need_the_database_no_more(
    engine: Engine, any_services: Services, users: list[User]
) -> None:
    found = await engine.find(User)

    assert all(inspect(user).detached for user in found)
    assert [user.name for user in found] == NAMES


async def test_a_relationship_that_was_not_loaded_is_refused_instead_of_asking_the_database(
    engine: Engine, any_services: Services, users: list[User]
) -> None:
    await engine.save(Message(room=Room(name="tea"), author_id=users[0].id, body="hello"))
    for message in (await engine.find(Message))[0], await engine.get(Message, id=1):
        assert message is not None
        with pytest.raises(InvalidRequestError, match="lazy='raise'"):
            _ = message.room


@pytest.mark.parametrize(
    ("model", "where", "how", "says"),
    [
        (User, (), {"limit": 0}, "1 to 1000 rows, got 0"),
        (User, (), {"limit": -1}, "1 to 1000 rows"),
        (User, (), {"limit": 1001}, "1 to 1000 rows, got 1001"),
        (User, (), {"limit": True}, "1 to 1000 rows"),
        (User, (), {"limit": "7"}, "1 to 1000 rows"),
        (User, (), {"limit": None}, "1 to 1000 rows"),
        (User, (True,), {}, "Expected a condition such as User.id > 7, got True"),
        (User, ("id > 7",), {}, "Expected a condition"),
        (User, (text("1=1"),), {}, "Expected a condition"),
        (User, (), {"order_by": Room.name}, "order_by= takes columns of User"),
        (User, (), {"order_by": "name; DROP TABLE users"}, "order_by= takes columns of User"),
        (User, (), {"order_by": func.random()}, "order_by= takes columns of User"),
        (User, (), {"after": 7}, "after= takes a User"),
        (User, (), {"after": Room(name="tea")}, "after= takes a User"),
        (User, (), {"after": User(name="Ada")}, "after= takes a User"),
        (int, (), {}, "Expected a model"),
        (None, (), {}, "Expected a model"),
    ],
)
async def test_what_can_not_be_found_is_refused_before_anything_is_sent(
    offline: Engine,
    model: Any,
    where: tuple[Any, ...],
    how: dict[str, Any],
    says: str,
) -> None:
    with pytest.raises(InvalidInput, match=says):
        await offline.find(model, *where, **how)


async def test_the_hard_limit_is_a_setting(make_engine: Callable[..., Engine], any_services: Services) -> None:
    async with make_engine(find_limit=2) as engine:
        await engine.create_tables()
        await engine.find(User, limit=2)
        with pytest.raises(InvalidInput, match="1 to 2 rows"):
            await engine.find(User, limit=3)
