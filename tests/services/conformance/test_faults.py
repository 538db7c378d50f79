"""Clauses on errors: every integrity error has MySQL's number, class and words, and leaves nothing behind."""

from __future__ import annotations

import asyncmy
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from .conftest import Client

pytestmark = pytest.mark.real_servers("core", "push")

Errors = asyncmy.errors


@pytest.fixture
async def family(people: Client) -> Client:
    await people.run(
        "CREATE TABLE pets (id INT AUTO_INCREMENT PRIMARY KEY, owner INT NOT NULL, name VARCHAR(20), "
        "CONSTRAINT pets_owner FOREIGN KEY (owner) REFERENCES people (id), UNIQUE KEY owner_name (owner, name))"
    )
    await people.run("INSERT INTO people (email) VALUES ('ada')")
    await people.run("INSERT INTO pets (owner, name) VALUES (1, 'Rex')")
    return people


async def test_a_duplicate_is_1062_and_names_the_value_and_the_key(family: Client) -> None:
    fault = await family.fault("INSERT INTO people (email) VALUES ('ADA')")
    assert isinstance(fault, Errors.IntegrityError)
    assert fault.args[0] == 1062
    assert fault.args[1].startswith("Duplicate entry 'ADA' for key '")
    assert fault.args[1].removesuffix("'").endswith("email")
    assert fault.sqlstate == "23000"


async def test_a_duplicate_over_two_columns_names_both_values(family: Client) -> None:
    fault = await family.fault("INSERT INTO pets (owner, name) VALUES (1, 'rex')")
    assert (fault.args[0], "'1-rex'" in fault.args[1], "owner_name" in fault.args[1]) == (1062, True, True)


async def test_a_duplicate_primary_key_is_named_primary(family: Client) -> None:
    fault = await family.fault("INSERT INTO people (id, email) VALUES (1, 'bob')")
    assert (fault.args[0], "'1'" in fault.args[1], "PRIMARY" in fault.args[1]) == (1062, True, True)


async def test_an_update_into_a_duplicate_is_1062(family: Client) -> None:
    await family.run("INSERT INTO people (email) VALUES ('bob')")
    assert await family.code("UPDATE people SET email = 'ada' WHERE email = 'bob'") == 1062


async def test_accents_do_not_make_a_text_unique(family: Client) -> None:
    assert await family.code("INSERT INTO people (email) VALUES ('adá')") == 1062


async def test_null_is_no_duplicate_of_null(family: Client) -> None:
    await family.run("INSERT INTO pets (owner, name) VALUES (1, NULL)")
    await family.run("INSERT INTO pets (owner, name) VALUES (1, NULL)")


async def test_a_parent_that_is_missing_is_1452(family: Client) -> None:
    fault = await family.fault("INSERT INTO pets (owner, name) VALUES (99, 'Tom')")
    assert isinstance(fault, Errors.IntegrityError)
    assert (fault.args[0], "pets_owner" in fault.args[1], fault.sqlstate) == (1452, True, "23000")
    assert await family.code("UPDATE pets SET owner = 99") == 1452


async def test_a_parent_that_is_needed_is_1451(family: Client) -> None:
    fault = await family.fault("DELETE FROM people")
    assert isinstance(fault, Errors.IntegrityError)
    assert (fault.args[0], "pets_owner" in fault.args[1], fault.sqlstate) == (1451, True, "23000")
    assert await family.code("UPDATE people SET id = 5") == 1451


async def test_a_cascade_deletes_the_children(family: Client) -> None:
    await family.run("CREATE TABLE toys (pet INT, FOREIGN KEY (pet) REFERENCES pets (id) ON DELETE CASCADE)")
    await family.run("INSERT INTO toys VALUES (1), (1)")
    assert await family.run("DELETE FROM pets") == 1
    assert await family.value("SELECT COUNT(*) FROM toys") == 0


async def test_null_where_there_must_be_a_value_is_1048(family: Client) -> None:
    fault = await family.fault("INSERT INTO people (email) VALUES (NULL)")
    assert isinstance(fault, Errors.IntegrityError)
    assert fault.args == (1048, "Column 'email' cannot be null")
    assert fault.sqlstate == "23000"


async def test_a_value_left_out_without_a_default_is_1364(family: Client) -> None:
    fault = await family.fault("INSERT INTO people (age) VALUES (1)")
    assert fault.args == (1364, "Field 'email' doesn't have a default value")


async def test_one_bad_row_of_many_leaves_none_of_them(family: Client) -> None:
    assert await family.code("INSERT INTO people (email) VALUES ('x'), ('y'), ('ada')") == 1062
    assert await family.value("SELECT COUNT(*) FROM people") == 1


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT nothing FROM people", 1054),
        ("SELECT people.nothing FROM people", 1054),
        ('SELECT `no "such"` FROM people', 1054),
        ("INSERT INTO people (nothing) VALUES (1)", 1054),
        ("UPDATE people SET nothing = 1", 1054),
        ("SELECT id FROM people WHERE nothing = 1", 1054),
        ("SELECT id FROM people a JOIN people b ON a.id = b.id", 1052),
        ("SELECT a.id FROM people a JOIN people a ON 1 = 1", 1066),
        ("INSERT INTO people (id, email) VALUES (1)", 1136),
        ("SELEC 1", 1064),
        ("SELECT 1 FROM", 1064),
        ("SELECT 'open", 1064),
        ("SELECT * FROM elsewhere.people", 1146),
        ("KILL 4294967295", 1094),
        ("ROLLBACK TO SAVEPOINT nowhere", 1305),
        ("CREATE INDEX email ON people (age)", 1061),
    ],
)
async def test_a_statement_that_can_not_run_has_mysqls_number(people: Client, sql: str, code: int) -> None:
    allowed = {1146: (1146, 1049, 1142, 1044), 1305: (1305, 1630)}.get(code, (code,))
    assert await people.code(sql) in allowed


async def test_sqlalchemy_raises_its_own_classes(family: Client, engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError, match="1062"):
            await connection.execute(sa.text("INSERT INTO people (email) VALUES ('ada')"))
        await connection.rollback()
        with pytest.raises(ProgrammingError, match="1146"):
            await connection.execute(sa.text("SELECT * FROM nobody"))


async def test_a_failed_statement_leaves_the_transaction_usable(family: Client) -> None:
    await family.run("BEGIN")
    await family.run("INSERT INTO people (email) VALUES ('bob')")
    assert await family.code("INSERT INTO people (email) VALUES ('ada')") == 1062
    await family.run("COMMIT")
    assert await family.value("SELECT COUNT(*) FROM people") == 2
