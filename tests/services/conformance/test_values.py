"""Clauses on values: each type gives back what was stored, or says why it can't store it."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.ext.asyncio import AsyncEngine

from .conftest import Client

pytestmark = pytest.mark.real_servers("core", "push")

NOON = datetime.datetime(2026, 2, 28, 12, 30, 15, 123456)

ROUND_TRIPS = [
    ("INT", -7),
    ("BIGINT", 2**62 + 1),
    ("TINYINT", 127),
    ("BOOL", 1),
    ("DOUBLE", 0.1),
    ("DECIMAL(20,10)", Decimal("1234567890.0123456789")),
    ("DECIMAL(65,0)", Decimal("9" * 65)),
    ("DATETIME(6)", NOON),
    ("DATETIME", NOON.replace(microsecond=0)),
    ("TIMESTAMP NULL", NOON.replace(microsecond=0)),
    ("DATE", NOON.date()),
    ("VARCHAR(20)", "Grüße, 世界 🎉"),
    ("VARCHAR(40)", 'it\'s \\ a "quote"\n\t%s \x00 \x1a'),
    ("TEXT", "🎉" * 1000),
    ("VARCHAR(20) COLLATE utf8mb4_bin", "Ada"),
    ("ENUM('red','green')", "green"),
    ("BLOB", bytes(range(256))),
    ("VARBINARY(20)", b"\x00\xff'\\"),
]


@pytest.mark.parametrize(
    ("kind", "value"), ROUND_TRIPS, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(ROUND_TRIPS)]
)
async def test_a_value_comes_back_as_it_went_in(client: Client, kind: str, value: Any) -> None:
    await client.run(f"CREATE TABLE kept (v {kind})")
    await client.run("INSERT INTO kept VALUES (%s), (NULL)", value)
    rows = await client.rows("SELECT v FROM kept")
    assert rows == [(value,), (None,)]
    assert type(rows[0][0]) is type(value)
    assert await client.value("SELECT COUNT(*) FROM kept WHERE v = %s", value) == (0 if kind == "DOUBLE!" else 1)


async def test_json_comes_back_as_the_same_document(client: Client) -> None:
    document = {"b": [1, 2.5, None, True], "a": {"ü": "🎉"}, "text": 'it\'s "x"'}
    await client.run("CREATE TABLE kept (v JSON)")
    await client.run("INSERT INTO kept VALUES (%s)", json.dumps(document))
    assert json.loads(await client.value("SELECT v FROM kept")) == document


async def test_what_is_no_json_is_refused(client: Client) -> None:
    await client.run("CREATE TABLE kept (v JSON)")
    assert await client.code("INSERT INTO kept VALUES ('{')") in (3140, 4025, 1235)  # MySQL, MariaDB, embedded


async def test_sqlalchemys_types_come_back_whole(engine: AsyncEngine) -> None:
    table = sa.Table(
        "kept",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("flag", sa.Boolean),
        sa.Column("document", sa.JSON),
        sa.Column("price", sa.Numeric(12, 4)),
        sa.Column("at", DATETIME(fsp=6)),
        sa.Column("on", sa.Date),
        sa.Column("ratio", sa.Float),
        sa.Column("data", sa.LargeBinary),
        sa.Column("colour", sa.Enum("red", "green")),
    )
    values = {
        "flag": True,
        "document": {"k": [1, None]},
        "price": Decimal("0.1000"),
        "at": NOON,
        "on": NOON.date(),
        "ratio": 0.25,
        "data": b"\xff\x00",
        "colour": "red",
    }
    async with engine.begin() as connection:
        await connection.run_sync(table.create)
        done = await connection.execute(table.insert().values(values))
        row = (await connection.execute(sa.select(table))).one()
    assert row._asdict() == {"id": done.inserted_primary_key[0], **values}


async def test_decimals_are_added_up_exactly(client: Client) -> None:
    await client.run("CREATE TABLE bills (price DECIMAL(10,2))")
    await client.run("INSERT INTO bills VALUES (0.10), (0.20), (10.70), (NULL)")
    assert await client.rows("SELECT SUM(price), MIN(price), MAX(price) FROM bills") == [
        (Decimal("11.00"), Decimal("0.10"), Decimal("10.70"))
    ]
    assert await client.value("SELECT COUNT(*) FROM bills WHERE price * 3 = 0.30") == 1
    assert await client.rows("SELECT price + 1 FROM bills WHERE price > 9 ORDER BY price") == [(Decimal("11.70"),)]
    assert [
        row[0] for row in await client.rows("SELECT price FROM bills WHERE price < 9.5 ORDER BY price DESC")
    ] == [
        Decimal("0.20"),
        Decimal("0.10"),
    ]


async def test_a_decimal_is_rounded_half_up_to_its_column(client: Client) -> None:
    await client.run("CREATE TABLE bills (price DECIMAL(10,2))")
    await client.run("INSERT INTO bills VALUES ('1.005'), ('-1.005')")
    assert await client.rows("SELECT price FROM bills") == [(Decimal("1.01"),), (Decimal("-1.01"),)]


async def test_datetimes_compare_as_moments_and_not_as_texts(client: Client) -> None:
    await client.run("CREATE TABLE days (at DATETIME(6))")
    await client.run("INSERT INTO days VALUES ('2026-01-01'), ('2026-01-01 00:00:00.5'), ('2026-01-02 10:00:00')")
    assert await client.value("SELECT COUNT(*) FROM days WHERE at = '2026-01-01'") == 1
    assert await client.value("SELECT COUNT(*) FROM days WHERE at >= '2026-01-01 00:00:00.500000'") == 2
    assert await client.value("SELECT MAX(at) FROM days") == datetime.datetime(2026, 1, 2, 10)


async def test_the_present_time_has_as_many_digits_as_asked(client: Client) -> None:
    seconds, micros = (await client.rows("SELECT NOW(), NOW(6)"))[0]
    assert seconds.microsecond == 0
    assert abs(micros - seconds) < datetime.timedelta(seconds=2)
    assert isinstance(await client.value("SELECT CURRENT_TIMESTAMP"), datetime.datetime)


async def test_a_default_fills_what_the_statement_leaves_out(client: Client) -> None:
    await client.run(
        "CREATE TABLE kept (id INT PRIMARY KEY, n INT DEFAULT 5, word VARCHAR(9) DEFAULT 'x', "
        "at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6))"
    )
    await client.run("INSERT INTO kept (id) VALUES (1)")
    await client.run("INSERT INTO kept (id, n, word) VALUES (2, DEFAULT, NULL)")
    assert await client.rows("SELECT n, word FROM kept ORDER BY id") == [(5, "x"), (5, None)]
    assert await client.value("SELECT COUNT(*) FROM kept WHERE at IS NULL") == 0


FAULTS = [
    ("VARCHAR(3)", "'four'", 1406),
    ("INT", "'seven'", 1366),
    ("TINYINT", "128", 1264),
    ("INT UNSIGNED", "-1", 1264),
    ("DECIMAL(4,2)", "100", 1264),
    ("DATETIME", "'2026-02-30'", 1292),
    ("ENUM('red')", "'blue'", 1265),
    ("VARBINARY(2)", "'abc'", 1406),
]


@pytest.mark.parametrize(("kind", "value", "code"), FAULTS, ids=[kind for kind, _, _ in FAULTS])
async def test_a_value_that_does_not_fit_is_refused(client: Client, kind: str, value: str, code: int) -> None:
    await client.run(f"CREATE TABLE kept (v {kind})")
    fault = await client.fault(f"INSERT INTO kept VALUES ({value})")
    assert fault.args[0] == code
    assert "'v'" in fault.args[1] or "`v`" in fault.args[1]
    assert await client.value("SELECT COUNT(*) FROM kept") == 0
