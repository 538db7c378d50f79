"""Clauses on tables: SQLAlchemy creates them, and reads back what it created."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.ext.asyncio import AsyncEngine

from .conftest import Client

pytestmark = pytest.mark.real_servers("core", "push")

metadata = sa.MetaData()
rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20), nullable=False, unique=True),
)
posts = sa.Table(
    "posts",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("room_id", sa.ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False),
    sa.Column("slug", sa.String(30), nullable=False),
    sa.Column("body", sa.Text, comment="what was said"),
    sa.Column("price", sa.Numeric(10, 2), server_default="1.50"),
    sa.Column("seen", sa.Boolean, nullable=False),
    sa.Column("created_at", DATETIME(fsp=6), server_default=sa.text("CURRENT_TIMESTAMP(6)")),
    sa.Index("ix_posts_slug", "slug"),
    sa.UniqueConstraint("room_id", "slug", name="uq_posts_room_slug"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)


async def test_create_all_makes_tables_that_reflection_finds(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        names = await connection.run_sync(lambda c: sorted(sa.inspect(c).get_table_names()))
    assert names == ["posts", "rooms"]


async def test_create_all_leaves_tables_that_are_there(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(rooms.insert().values(name="attic"))
        await connection.run_sync(metadata.create_all)
        assert (await connection.execute(sa.select(rooms.c.name))).scalars().all() == ["attic"]


async def reflected(engine: AsyncEngine, what: str, table: str) -> list[dict[str, object]]:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        return await connection.run_sync(lambda c: getattr(sa.inspect(c), what)(table))


async def test_has_table_tells_tables_that_are_there_from_others(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        found = await connection.run_sync(lambda c: [sa.inspect(c).has_table(name) for name in ("rooms", "roofs")])
    assert found == [True, False]


async def test_columns_come_back_with_their_types_and_nullability(engine: AsyncEngine) -> None:
    columns = {c["name"]: (str(c["type"]), c["nullable"]) for c in await reflected(engine, "get_columns", "posts")}
    assert columns == {
        "id": ("BIGINT", False),
        "room_id": ("INTEGER", False),
        "slug": ("VARCHAR(30)", False),
        "body": ("TEXT", True),
        "price": ("DECIMAL(10, 2)", True),
        "seen": ("TINYINT(1)", False) if "display" in str(columns["seen"]) else (columns["seen"][0], False),
        "created_at": ("DATETIME", True),
    }
    assert columns["seen"][0].startswith("TINYINT")


async def test_a_column_keeps_its_comment_and_its_fractions_of_a_second(engine: AsyncEngine) -> None:
    columns = {c["name"]: c for c in await reflected(engine, "get_columns", "posts")}
    assert columns["body"]["comment"] == "what was said"
    assert columns["created_at"]["type"].fsp == 6
    assert columns["id"]["autoincrement"] is True


async def test_the_primary_key_comes_back(engine: AsyncEngine) -> None:
    key = await reflected(engine, "get_pk_constraint", "posts")
    assert key["constrained_columns"] == ["id"]


async def test_unique_constraints_come_back_with_their_names(engine: AsyncEngine) -> None:
    found = await reflected(engine, "get_unique_constraints", "posts")
    assert [(c["name"], c["column_names"]) for c in found] == [("uq_posts_room_slug", ["room_id", "slug"])]


async def test_a_unique_column_comes_back_as_a_constraint_of_its_name(engine: AsyncEngine) -> None:
    found = await reflected(engine, "get_unique_constraints", "rooms")
    assert [(c["name"], c["column_names"]) for c in found] == [("name", ["name"])]


async def test_foreign_keys_come_back_with_their_actions(engine: AsyncEngine) -> None:
    [key] = await reflected(engine, "get_foreign_keys", "posts")
    assert key["name"] == "posts_ibfk_1"
    assert (key["constrained_columns"], key["referred_table"], key["referred_columns"]) == (
        ["room_id"],
        "rooms",
        ["id"],
    )
    assert key["options"] == {"ondelete": "CASCADE"}


async def test_indexes_come_back_without_the_one_that_a_key_has_no_need_of(engine: AsyncEngine) -> None:
    found = await reflected(engine, "get_indexes", "posts")
    assert sorted(i["name"] for i in found) == ["ix_posts_slug", "uq_posts_room_slug"]


async def test_drop_all_leaves_nothing(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(metadata.drop_all)
        assert await connection.run_sync(lambda c: sa.inspect(c).get_table_names()) == []


async def test_show_tables_and_describe_agree_with_the_information_schema(people: Client) -> None:
    assert await people.rows("SHOW TABLES") == [("people",)]
    described = [(row[0], row[2], row[3]) for row in await people.rows("DESCRIBE people")]
    assert described == [("id", "NO", "PRI"), ("email", "NO", "UNI"), ("age", "YES", "")]
    named = await people.rows(
        "SELECT column_name AS name, is_nullable AS n, column_key AS k FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = 'people' ORDER BY ordinal_position"
    )
    assert named == described


async def test_a_table_made_twice_is_1050_and_one_that_is_missing_1146(people: Client) -> None:
    assert await people.code("CREATE TABLE people (id INT)") == 1050
    await people.run("CREATE TABLE IF NOT EXISTS people (id INT)")
    assert await people.code("SELECT * FROM nobody") == 1146
    assert await people.code("DROP TABLE nobody") == 1051
    await people.run("DROP TABLE IF EXISTS nobody")


async def test_a_parent_table_can_not_be_dropped_while_a_child_names_it(people: Client) -> None:
    await people.run("CREATE TABLE pets (owner INT, FOREIGN KEY (owner) REFERENCES people (id))")
    assert await people.code("DROP TABLE people") in (3730, 1451)
    await people.run("DROP TABLE pets")
    await people.run("DROP TABLE people")


async def test_the_information_schema_knows_tables_and_columns(engine: AsyncEngine, client: Client) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    where = "WHERE table_schema = DATABASE() AND table_name = 'posts'"
    schema = "information_schema"
    assert await client.value(f"SELECT engine AS e FROM {schema}.tables {where}") == "InnoDB"
    sql = f"SELECT column_name AS n, column_key AS k FROM {schema}.columns {where} AND column_key <> ''"
    assert await client.rows(f"{sql} ORDER BY ordinal_position") == [
        ("id", "PRI"),
        ("room_id", "MUL"),
        ("slug", "MUL"),
    ]


async def test_an_index_can_be_added(people: Client) -> None:
    await people.run("CREATE INDEX ix_age ON people (age)")
    assert "KEY `ix_age` (`age`)" in str(await people.rows("SHOW CREATE TABLE people"))
