"""What the embedded server would answer otherwise than MySQL it refuses."""

from __future__ import annotations

import asyncmy
import pytest
from sqlalchemy import make_url

from labkit.services import Services

PEOPLE = (
    "CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(50) NOT NULL UNIQUE, age INT, doc JSON)",
    "INSERT INTO people (email, age) VALUES ('ada', 36), ('bob', 7)",
)


@pytest.mark.providers("embedded")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT email, COUNT(*) FROM people GROUP BY age",
        "SELECT email, MAX(age) FROM people",
        "SELECT id FROM people HAVING id > 1",
        "SELECT id FROM people WHERE id = (SELECT age FROM people)",
        "SELECT id FROM people WHERE id IN (SELECT age FROM people LIMIT 1)",
        "SELECT id FROM people UNION SELECT age FROM people",
        "SELECT CAST(id AS CHAR), NULLIF(age, 7) FROM people",
        "SELECT @@port",
        "SELECT * FROM information_schema.tables",
        "SELECT COUNT(*) FROM information_schema.tables",
        "SELECT index_name FROM information_schema.statistics WHERE table_schema = 'lab'",
        "SELECT doc->'$.a' FROM people",
        "SELECT 'a' = 'A'",
        "SELECT ROW_COUNT()",
        "SELECT 9223372036854775807 + 1",
        "INSERT IGNORE INTO people (email) VALUES ('ada')",
        "INSERT INTO people (email) SELECT CONCAT(email, '2') FROM people",
        "INSERT INTO people (id, email) SELECT id + 9, CONCAT(email, '2') FROM people",
        "INSERT INTO people (id, email) VALUES (9, 'eve'), (NULL, 'ada')",
        "INSERT INTO people (email) VALUES ('eve') RETURNING id",
        "UPDATE people SET age = DEFAULT",
        "UPDATE people SET age = 1, age = 2",
        "UPDATE people SET age = 'x'",
        "CREATE UNIQUE INDEX ix_one ON people (doc)",
        "CREATE TABLE ages (age INT, CHECK (age > 17))",
        "CREATE TABLE days (noon TIME)",
        "CREATE TABLE old (id INT) CHARSET latin1",
        "CREATE TABLE far (id INT) AUTO_INCREMENT = 100",
        "CREATE TABLE other (name VARCHAR(9) COLLATE utf8mb4_general_ci)",
        "DROP INDEX email ON people",
        "TRUNCATE TABLE people",
        "SET no_such_variable = 1",
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SHOW INDEX FROM people",
        "SHOW COLUMNS FROM people",
        "SHOW VARIABLES LIKE 'wait_timeout'",
        "DO 1",
    ],
)
async def test_it_is_refused_and_changes_nothing(clean_services: Services, sql: str) -> None:
    url = make_url(clean_services.database_url)
    connection = await asyncmy.connect(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password or "",
        db=url.database,
        autocommit=True,
    )
    async with connection.cursor() as cursor:
        for statement in PEOPLE:
            await cursor.execute(statement)
        with pytest.raises(asyncmy.errors.NotSupportedError, match="1235"):
            await cursor.execute(sql)

        await cursor.execute("SELECT id, email, age FROM people ORDER BY id")
        assert await cursor.fetchall() == ((1, "ada", 36), (2, "bob", 7))
        await cursor.execute("INSERT INTO people (email) VALUES ('next')")
        assert cursor.lastrowid == 3
    await connection.ensure_closed()
