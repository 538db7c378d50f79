"""Clauses on writing and reading rows: numbers given out, rows counted, what a query may ask for."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from asyncmy.cursors import DictCursor, SSCursor
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from labkit.services import Services

from .conftest import Client, Connect, isolation_of

pytestmark = pytest.mark.real_servers("core", "push")

PEOPLE = sa.table(
    "people", sa.column("id", sa.Integer), sa.column("email", sa.String), sa.column("age", sa.Integer)
)


async def test_the_driver_learns_the_number_that_a_row_was_given(people: Client) -> None:
    await people.run("INSERT INTO people (email) VALUES ('ada')")
    assert people.cursor.lastrowid == 1
    await people.run("INSERT INTO people (email) VALUES ('bob')")
    assert people.cursor.lastrowid == 2
    assert await people.value("SELECT LAST_INSERT_ID()") == 2


async def test_several_rows_at_once_report_the_first_number(people: Client) -> None:
    assert await people.run("INSERT INTO people (email) VALUES ('a'), ('b'), ('c')") == 3
    assert people.cursor.lastrowid == 1


async def test_a_number_chosen_by_the_statement_moves_the_next_one(people: Client) -> None:
    await people.run("INSERT INTO people (id, email) VALUES (41, 'ada')")
    await people.run("INSERT INTO people (email) VALUES ('bob')")
    assert people.cursor.lastrowid == 42


async def test_a_number_is_never_given_out_twice(people: Client) -> None:
    await people.run("BEGIN")
    await people.run("INSERT INTO people (email) VALUES ('ada')")
    await people.run("ROLLBACK")
    await people.run("INSERT INTO people (email) VALUES ('ada')")
    assert people.cursor.lastrowid == 2


async def test_update_counts_the_rows_that_it_changed(people: Client) -> None:
    await people.run("INSERT INTO people (email, age) VALUES ('a', 1), ('b', 1), ('c', 2)")
    assert await people.run("UPDATE people SET age = 2") == 2
    assert await people.run("UPDATE people SET age = 2 WHERE email = 'nobody'") == 0


async def test_sqlalchemy_counts_the_rows_that_an_update_found(people: Client, engine: AsyncEngine) -> None:
    await people.run("INSERT INTO people (email, age) VALUES ('a', 1), ('b', 2)")
    async with engine.begin() as connection:
        done = await connection.execute(sa.update(PEOPLE).values(age=2))
    assert done.rowcount == 2


async def test_an_update_that_changes_nothing_but_case_is_a_change(people: Client) -> None:
    await people.run("INSERT INTO people (email) VALUES ('ada')")
    assert await people.run("UPDATE people SET email = 'Ada'") == 1
    assert await people.value("SELECT email FROM people") == "Ada"


async def test_delete_counts_its_rows(people: Client) -> None:
    await people.run("INSERT INTO people (email, age) VALUES ('a', 1), ('b', 2), ('c', 3)")
    assert await people.run("DELETE FROM people WHERE age > 1") == 2
    assert await people.value("SELECT COUNT(*) FROM people") == 1


UPSERT = "INSERT INTO people (email, age) VALUES ('ada', %s) ON DUPLICATE KEY UPDATE age = VALUES(age)"


@pytest.mark.filterwarnings("ignore")  # MySQL warns of VALUES()
async def test_an_upsert_counts_one_for_a_new_row_two_for_a_changed_one_and_none_for_the_same(
    people: Client,
) -> None:
    assert [await people.run(UPSERT, age) for age in (1, 2, 2)] == [1, 2, 0]
    assert await people.rows("SELECT email, age FROM people") == [("ada", 2)]


async def test_sqlalchemys_upsert_works(people: Client, engine: AsyncEngine) -> None:
    statement = insert(PEOPLE).values(email="ada", age=7)
    statement = statement.on_duplicate_key_update(age=statement.inserted.age + 1)
    async with engine.begin() as connection:
        await connection.execute(statement)
        await connection.execute(statement)
    assert await people.rows("SELECT email, age FROM people") == [("ada", 8)]


async def fill(people: Client) -> None:
    await people.run("INSERT INTO people (email, age) VALUES ('ada', 36), ('Bob', 7), ('Änne', 36), ('cy%d', NULL)")


async def test_text_is_compared_without_case(people: Client) -> None:
    await fill(people)
    assert await people.value("SELECT email FROM people WHERE email = 'ADA'") == "ada"
    assert await people.value("SELECT COUNT(*) FROM people WHERE email IN ('ADA', 'bOB')") == 2


async def test_a_number_is_found_by_its_text(people: Client) -> None:
    await fill(people)
    assert await people.value("SELECT COUNT(*) FROM people WHERE age = '36'") == 2
    assert await people.value("SELECT COUNT(*) FROM people WHERE id = %s", "1") == 1


async def test_texts_side_by_side_are_one(client: Client) -> None:
    assert await client.rows("SELECT 'a' 'b' AS ab, 1 AS one FROM DUAL") == [("ab", 1)]


async def test_like_matches_without_case_and_escapes(people: Client) -> None:
    await fill(people)
    assert await people.rows("SELECT email FROM people WHERE email LIKE 'B%%'") == [("Bob",)]
    assert await people.value("SELECT COUNT(*) FROM people WHERE email LIKE '_o_'") == 1
    assert await people.rows("SELECT email FROM people WHERE email LIKE %s", "cy\\%%") == [("cy%d",)]
    assert await people.value("SELECT COUNT(*) FROM people WHERE email NOT LIKE '%%d%%'") == 2


async def test_limit_and_offset_give_a_page(people: Client) -> None:
    await fill(people)
    assert await people.rows("SELECT id FROM people ORDER BY id LIMIT 2 OFFSET 1") == [(2,), (3,)]
    assert await people.rows("SELECT id FROM people ORDER BY id LIMIT 1, 2") == [(2,), (3,)]


async def test_rows_sort_with_null_first_and_text_without_case(people: Client) -> None:
    await fill(people)
    assert await people.rows("SELECT age FROM people ORDER BY age, id") == [(None,), (7,), (36,), (36,)]
    assert [row[0] for row in await people.rows("SELECT email FROM people WHERE email < 'c' ORDER BY 1 DESC")] == [
        "Bob",
        "Änne",
        "ada",
    ]


async def test_groups_are_counted_and_chosen(people: Client) -> None:
    await fill(people)
    rows = await people.rows("SELECT age, COUNT(*) AS n FROM people GROUP BY age HAVING COUNT(*) > 1")
    assert rows == [(36, 2)]
    assert await people.value("SELECT COUNT(DISTINCT age) FROM people") == 2


async def test_sums_and_averages_of_integers_are_decimals(people: Client) -> None:
    await fill(people)
    [row] = await people.rows("SELECT SUM(age), AVG(age), MIN(age), MAX(age) FROM people")
    assert row == (Decimal(79), Decimal("26.3333"), 7, 36)
    assert isinstance(row[0], Decimal)


async def test_tables_join_inside_and_out(people: Client) -> None:
    await fill(people)
    await people.run("CREATE TABLE pets (name VARCHAR(10), owner INT)")
    await people.run("INSERT INTO pets VALUES ('Rex', 2), ('Tom', NULL)")
    sql = "SELECT p.name, o.email FROM pets p {} people o ON o.id = p.owner ORDER BY p.name"
    assert await people.rows(sql.format("JOIN")) == [("Rex", "Bob")]
    assert await people.rows(sql.format("LEFT JOIN")) == [("Rex", "Bob"), ("Tom", None)]


async def test_queries_nest(people: Client) -> None:
    await fill(people)
    assert await people.value("SELECT COUNT(*) FROM people WHERE age = (SELECT MAX(age) FROM people)") == 2
    assert await people.value("SELECT COUNT(*) FROM (SELECT age FROM people WHERE age IS NOT NULL) AS known") == 3
    assert await people.value("SELECT EXISTS (SELECT 1 FROM people WHERE email = 'ada')") == 1


async def test_division_is_exact_and_by_zero_null(client: Client) -> None:
    assert await client.rows("SELECT 7 / 2, 1 / 0, 7 % 4, 0.1 + 0.2") == [
        (Decimal("3.5000"), None, 3, Decimal("0.3"))
    ]


async def test_rows_come_as_dictionaries_when_asked(people: Client) -> None:
    await fill(people)
    async with people.connection.cursor(DictCursor) as cursor:
        await cursor.execute("SELECT id, email AS who FROM people WHERE id = 1")
        assert await cursor.fetchall() == [{"id": 1, "who": "ada"}]


async def test_an_unbuffered_cursor_streams(people: Client) -> None:
    await people.run(f"INSERT INTO people (email) VALUES {', '.join(f'({n})' for n in range(2000))}")
    async with people.connection.cursor(SSCursor) as cursor:
        await cursor.execute("SELECT id FROM people ORDER BY id")
        seen = [await cursor.fetchone() for _ in range(3)]
        rest = await cursor.fetchall()
    assert (seen, len(rest)) == ([(1,), (2,), (3,)], 1997)


async def test_sqlalchemy_streams(people: Client, engine: AsyncEngine) -> None:
    await people.run(f"INSERT INTO people (email) VALUES {', '.join(f'({n})' for n in range(500))}")
    async with engine.connect() as connection:
        rows = [row.id async for row in await connection.stream(sa.select(PEOPLE.c.id).order_by(PEOPLE.c.id))]
    assert rows == list(range(1, 501))


async def test_a_column_is_named_as_the_statement_wrote_it(people: Client) -> None:
    await people.run("SELECT COUNT(*), 1, MAX(age) AS years, 'x' FROM people")
    assert [column[0] for column in people.cursor.description] == ["COUNT(*)", "1", "years", "x"]


async def test_login_variables_can_be_read(client: Client, services: Services) -> None:
    assert await client.value("SELECT DATABASE()") == make_url(services.database_url).database
    assert await isolation_of(client) == "REPEATABLE-READ"
    assert await client.value("SELECT @@version") == await client.value("SELECT VERSION()")
    assert await client.value("SELECT @@wait_timeout") == 28800
    assert await client.value("SELECT @@autocommit") == 1


async def test_a_large_statement_and_a_large_row_pass(connect: Connect) -> None:
    client = await connect()
    await client.run("CREATE TABLE blobs (data LONGBLOB, words LONGTEXT)")
    await client.run("INSERT INTO blobs VALUES (%s, %s)", b"\x00\xff'\\" * 100_000, "ü" * 300_000)
    assert await client.rows("SELECT LENGTH(data), CHAR_LENGTH(words) FROM blobs") == [(400_000, 300_000)]
    assert await client.rows("SELECT data, words FROM blobs") == [(b"\x00\xff'\\" * 100_000, "ü" * 300_000)]


async def test_conditions_choose_between_values(people: Client) -> None:
    await fill(people)
    sql = "SELECT CASE WHEN age > 20 THEN 'old' WHEN age IS NULL THEN 'unknown' ELSE 'young' END AS c FROM people"
    assert [row[0] for row in await people.rows(f"{sql} ORDER BY id")] == ["old", "young", "old", "unknown"]
    sql = "SELECT IF(age > 20, 1, 0), COALESCE(age, -1), IFNULL(age, 0) FROM people"
    assert (await people.rows(f"{sql} ORDER BY id"))[1:] == [(0, 7, 7), (1, 36, 36), (0, -1, 0)]


async def test_numbers_and_signs_calculate(people: Client) -> None:
    await fill(people)
    sql = "SELECT -age, ABS(-age), age * 2 - 1, age / 2, age * 1.5 FROM people WHERE id = 2"
    assert await people.rows(sql) == [(-7, 7, 13, Decimal("3.5000"), Decimal("10.5"))]
    assert await people.value("SELECT MAX(age / 2) FROM people") == Decimal("18.0000")
    assert await people.value("SELECT COUNT(*) FROM people WHERE age BETWEEN 7 AND 35.5") == 1
    assert await people.value("SELECT COUNT(*) FROM people WHERE age <=> NULL") == 1
    assert await people.value("SELECT COUNT(*) FROM people WHERE NOT (age = 7 OR age IS NULL)") == 2


async def test_texts_are_changed_and_measured(people: Client) -> None:
    await fill(people)
    sql = "SELECT UPPER(email), LOWER(email), LENGTH(email), CHAR_LENGTH(email), CONCAT(email, '-', id) FROM people"
    assert (await people.rows(f"{sql} ORDER BY id"))[2] == ("ÄNNE", "änne", 5, 4, "Änne-3")
    assert await people.value("SELECT id FROM people WHERE LOWER(email) = 'BOB'") == 2
    assert await people.rows("SELECT DISTINCT LOWER(email) AS e FROM people WHERE age = 36 ORDER BY e DESC") == [
        ("änne",),
        ("ada",),
    ]


async def test_a_text_can_be_compared_letter_by_letter(people: Client) -> None:
    await fill(people)
    assert await people.value("SELECT COUNT(*) FROM people WHERE email COLLATE utf8mb4_bin = 'ADA'") == 0
    await people.run("CREATE TABLE codes (code VARCHAR(9) COLLATE utf8mb4_bin UNIQUE)")
    await people.run("INSERT INTO codes VALUES ('a'), ('A')")
    assert await people.rows("SELECT code FROM codes WHERE code LIKE 'A%'") == [("A",)]


async def test_a_query_may_look_at_the_row_around_it(people: Client) -> None:
    await fill(people)
    newest = "SELECT MAX(q.id) FROM people AS q WHERE q.age = p.age"
    sql = f"SELECT p.email FROM people AS p WHERE p.id = ({newest}) ORDER BY 1"
    assert await people.rows(sql) == [("Änne",), ("Bob",)]
    rows = await people.rows("SELECT d.n, p.* FROM people p JOIN (SELECT 2 AS n) AS d ON d.n = p.id")
    assert rows == [(2, 2, "Bob", 7)]
