"""Which databases may be named, and how their connections are kept."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from labkit.engine import Engine, User
from labkit.engine.connections import DRIVERS, check_database_url
from labkit.errors import InvalidSetting, Unreachable
from labkit.services import Capability, Services
from labkit.services.evidence import connections, kill_connection, redis_clients
from labkit.settings import Settings

NASTY = "p@:/%w"
QUOTED = "p%40%3A%2F%25w"


@pytest.mark.parametrize("url", ["mysql://u:p@h/d", "mysql+pymysql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"])
def test_an_unsupported_driver_is_refused_naming_those_that_are_not(url: str) -> None:
    with pytest.raises(InvalidSetting, match=r"mysql\+asyncmy, mysql\+aiomysql, sqlite\+aiosqlite"):
        Engine(Settings(database_url=url))


@pytest.mark.parametrize("url", ["nonsense", "mysql+asyncmy://u:p@h:port/d", "://", "mysql+asyncmy://u:p@:/%@h/d"])
def test_a_wrong_url_is_refused_saying_how_to_write_one(url: str) -> None:
    with pytest.raises(InvalidSetting, match="mysql\\+asyncmy://user:password@host:port/database"):
        Engine(Settings(database_url=url))


@pytest.mark.parametrize("url", [None, "", SecretStr("")])
def test_no_url_is_refused_saying_where_to_get_one(url: str | None) -> None:
    with pytest.raises(InvalidSetting, match="Set LABKIT_DATABASE_URL"):
        check_database_url(url)


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="Name a file"):
        check_database_url(url)


def test_a_url_without_a_database_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="names no database"):
        check_database_url("mysql+asyncmy://u:p@h")


def test_a_password_among_the_options_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidSetting, match="password among the options") as caught:
        check_database_url("mysql+asyncmy://u@h/d?password=hunter2")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
@pytest.mark.parametrize("option", [{"nosuch": "1"}, {"connect_timeout": "abc"}])
async def test_an_option_that_the_driver_can_not_use_is_refused(
    services: Services, driver: str, option: dict[str, str]
) -> None:
    url = make_url(services.database_url).set(drivername=f"mysql+{driver}").update_query_dict(option)
    with pytest.raises(InvalidSetting, match="option of the database URL"):
        await Engine(Settings(database_url=url.render_as_string(hide_password=False))).open()


@pytest.mark.parametrize("driver", DRIVERS)
def test_each_driver_named_is_accepted(driver: str) -> None:
    assert check_database_url(f"{driver}:///d.db").drivername == driver


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "localhost:6379",
        "redis://h:port",
        "redis://h?nosuch=1",
        "redis://h?socket_timeout=abc",
        "redis://h/x",
    ],
)
def test_a_wrong_redis_url_is_refused_saying_how_to_write_one(url: str) -> None:
    with pytest.raises(InvalidSetting, match="redis://:password@host:6379/0"):
        Engine(Settings(database_url="mysql+asyncmy://u@h/d", redis_url=url))


async def test_no_error_and_no_repr_shows_the_password(unused_tcp_port: int) -> None:
    settings = Settings(
        database_url=f"mysql+asyncmy://u:{QUOTED}@127.0.0.1:{unused_tcp_port}/d",
        redis_url=f"redis://:{QUOTED}@127.0.0.1:{unused_tcp_port}/0",
    )
    engine = Engine(settings)
    with pytest.raises(Unreachable) as caught:
        await engine.open()
    said = [repr(engine), str(engine), repr(settings), repr(engine.statistics()), repr(engine.url)]
    said += traceback.format_exception(caught.value)

    for secret in (NASTY, QUOTED):
        assert not [each for each in said if secret in each]


@pytest.mark.parametrize(
    "url", [f"mysql+nope://u:{QUOTED}@h/d", f"mysql+asyncmy://u:{NASTY}@h:x/d", f"redis+{QUOTED}://"]
)
def test_no_refusal_shows_the_password(url: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        Engine(Settings(database_url=url))
    said = "".join(traceback.format_exception(caught.value))

    assert NASTY not in said
    assert QUOTED not in said


@pytest.mark.needs(Capability.PROCESSLIST)
async def test_nothing_is_opened_by_building_an_engine(
    make_engine: Callable[..., Engine], services: Services
) -> None:
    engine = make_engine()

    assert await connections(services) == []
    assert engine.statistics().checked_out == 0


@pytest.mark.needs(Capability.CLIENT_LIST)
async def test_nothing_is_opened_at_redis_by_building_an_engine(
    make_engine: Callable[..., Engine], services: Services
) -> None:
    before = await redis_clients(services)
    make_engine()

    assert await redis_clients(services) == before


@pytest.mark.needs(Capability.KILL, Capability.PROCESSLIST)
@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_a_connection_killed_while_idle_never_surfaces(
    make_engine: Callable[..., Engine], services: Services, driver: str
) -> None:
    async with make_engine(driver=driver, redis=False, ping_after=0.0) as engine:
        await engine.create_tables()
        for use in (
            lambda: engine.save(User(email="ada@example.org", name="Ada")),
            lambda: engine.get(User, email="ada@example.org"),
            lambda: engine.find(User),
        ):
            for connection in await connections(services):
                await kill_connection(services, connection.id)
            await use()
        assert [user.name for user in await engine.find(User)] == ["Ada"]


@pytest.mark.needs(Capability.KILL)
async def test_a_connection_killed_inside_a_block_surfaces_and_is_replaced(
    engine: Engine, services: Services
) -> None:
    with pytest.raises(Exception, match="(?i)lost|gone|closed|killed"):  # noqa: PT012, RUF043
        async with engine.session() as session:
            number = (await session.execute(text("SELECT CONNECTION_ID()"))).scalar_one()
            await kill_connection(services, number)
            await session.execute(text("SELECT 1"))
            await session.execute(text("SELECT 1"))

    await engine.save(User(email="ada@example.org", name="Ada"))
    assert engine.statistics().checked_out == 0


async def find_in_a_block(engine: Engine) -> list[User]:
    async with engine.session():
        return await engine.find(User)


async def test_a_task_that_waits_for_a_connection_is_counted_and_gets_it(
    make_engine: Callable[..., Engine], any_services: Services
) -> None:
    async with make_engine(pool_size=1, max_overflow=0) as engine:
        await engine.create_tables()
        async with engine.session() as session:
            await session.execute(select(1))
            waiter = asyncio.create_task(find_in_a_block(engine))
            while engine.statistics().waiting == 0:
                await asyncio.sleep(0)
            assert engine.statistics().checked_out == 1
        assert await waiter == []
        assert engine.statistics().waiting == 0


async def test_a_task_that_waits_too_long_gets_an_error_and_is_no_longer_counted(
    make_engine: Callable[..., Engine], any_services: Services
) -> None:
    async with make_engine(pool_size=1, max_overflow=0, pool_timeout=0.01) as engine:
        await engine.create_tables()
        async with engine.session() as session:
            await session.execute(select(1))
            with pytest.raises(PoolTimeout):
                await asyncio.create_task(find_in_a_block(engine))
            assert engine.statistics().waiting == 0


async def test_a_read_sends_its_select_and_nothing_else(
    make_engine: Callable[..., Engine], statements: Callable[[Engine], list[str]], any_services: Services
) -> None:
    async with make_engine(redis=False) as engine:
        await engine.create_tables()
        sent = statements(engine)
        await engine.get(User, id=1)
        await engine.find(User)

    assert [statement.split()[0] for statement in sent] == ["SELECT", "SELECT"]


@pytest.mark.needs(Capability.PROCESSLIST)
@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_no_transaction_is_left_open_on_a_connection_that_goes_back(
    make_engine: Callable[..., Engine], services: Services, driver: str
) -> None:
    async with make_engine(driver=driver, pool_size=1, max_overflow=0, redis=False) as engine:
        await engine.create_tables()
        with pytest.raises(KeyError):  # noqa: PT012
            async with engine.session() as session:
                session.add(User(email="ada@example.org", name="Ada"))
                await session.flush()
                raise KeyError
        async with engine.engine.connect() as connection:
            # What is in a transaction of its own would see no row, and neither must this.
            driver_connection = (await connection.get_raw_connection()).driver_connection
            assert not driver_connection.get_transaction_status()
        assert await engine.find(User) == []


async def test_a_transaction_that_somebody_begins_by_hand_is_rolled_back_at_checkin(
    make_engine: Callable[..., Engine], any_services: Services
) -> None:
    async with make_engine(pool_size=1, max_overflow=0, redis=False) as engine:
        await engine.create_tables()
        async with engine.reader.connect() as connection:
            await connection.exec_driver_sql("BEGIN")
            await connection.exec_driver_sql(
                "INSERT INTO users (email, name, created_at) VALUES ('ada@example.org', 'Ada', '2026-01-01 00:00:00')"  # noqa: E501
            )
        assert await engine.find(User) == []
