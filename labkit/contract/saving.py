"""Saving: what is saved is there, all of it or none."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from labkit.contract.clause import clause, expect, promised
from labkit.contract.stage import new_user, opened
from labkit.engine import Engine, Message, Room, User
from labkit.services import Services
from labkit.services.evidence import count_rows

SHORT = 0.3  # seconds that a pool lets a task wait where none should have to


@clause()
async def what_is_saved_is_on_the_server(engine_class: type[Engine], services: Services) -> None:
    """A saved object is a committed row."""
    ada = new_user()
    email = ada.email
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        rows = await count_rows(services, "users", email=email)
        expect("the server has the saved row", found=rows, to_be=1)


@clause()
async def what_a_block_writes_is_on_the_server_after_it(engine_class: type[Engine], services: Services) -> None:
    """The end of a block is its commit, for whatever was done inside it."""
    ada = new_user()
    email = ada.email
    async with opened(engine_class, services) as engine:
        async with engine.session():
            await engine.save(ada)
        rows = await count_rows(services, "users", email=email)
        expect("the server has the row that the block wrote", found=rows, to_be=1)


@clause()
async def a_duplicate_is_an_integrity_error_and_leaves_nothing(
    engine_class: type[Engine], services: Services
) -> None:
    """The database says no, and the caller hears it."""
    ada, again, bob = new_user(), new_user(), new_user("Bob")
    again.email = ada.email
    email = bob.email
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        try:
            await engine.save(bob, again)
        except IntegrityError:
            pass
        else:
            raise AssertionError("expected: an IntegrityError for a duplicate; got: no error")
        rows = await count_rows(services, "users", email=email)
        expect("nothing of a save that failed", found=rows, to_be=0)


@clause()
async def the_engine_goes_on_after_a_duplicate(engine_class: type[Engine], services: Services) -> None:
    """One connection is enough: what a save that failed had is there for the next."""
    ada, again = new_user(), new_user()
    again.email = ada.email
    async with opened(engine_class, services, pool_size=1, max_overflow=0, pool_timeout=SHORT) as engine:
        await engine.save(ada)
        with contextlib.suppress(IntegrityError):
            await engine.save(again)
        with promised("the next save works"):
            await engine.save(new_user())


@clause()
async def a_saved_object_can_be_read_without_the_database(engine_class: type[Engine], services: Services) -> None:
    """After the commit an object still knows what it is."""
    ada = new_user()
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        with promised("the attributes of a saved object can be read"):
            expect("its own name", found=ada.name, to_be="Ada")


@clause()
async def a_commit_inside_a_block_leaves_its_objects_readable(
    engine_class: type[Engine], services: Services
) -> None:
    """Who commits in the middle of a block goes on with the same objects, and what was found stays found."""
    ada = new_user()
    email = ada.email
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        async with engine.session() as session:
            [found] = await engine.find(User, User.email == email)
            await session.commit()
            with promised("the attributes of an object can be read after the commit"):
                expect("its own name", found=found.name, to_be="Ada")


@clause()
async def a_found_object_can_be_read_without_the_database(engine_class: type[Engine], services: Services) -> None:
    """What `find` gave outlives the session that read it."""
    ada = new_user()
    email = ada.email
    async with opened(engine_class, services) as engine:
        await engine.save(ada)
        [found] = await engine.find(User, User.email == email)
        with promised("the attributes of a found object can be read"):
            expect("its own name", found=found.name, to_be="Ada")


@clause()
async def a_relationship_that_was_not_asked_for_says_so_at_once(
    engine_class: type[Engine], services: Services
) -> None:
    """An attribute can't be awaited: rather than ask the database it names what should have been asked for."""
    ada, room, words = new_user(), Room(name=new_user("room").email), new_user("words").email

    async def look() -> object:
        async with engine.session():
            [message] = await engine.find(Message, Message.body == words)
            return message.author

    async with opened(engine_class, services) as engine:
        await engine.save(ada, room, Message(room=room, author=ada, body=words))
        try:
            author = await asyncio.create_task(look())  # the task that saved it may still know the author
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", error))
            if "'raise'" not in said:
                raise AssertionError(f"expected: an error that names 'raise'; got: {said}") from error
        else:
            raise AssertionError(f"expected: an error that names 'raise'; got: {author!r}, loaded unasked")
