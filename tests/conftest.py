"""
The tiers of the tests, and the servers that tests run on.

A plain `pytest` runs the tier core: every promise once. `-m "not full"` adds the tests marked `push`, as .ci/run
does, and `-m ""` all others. Tests run in parallel; `-n 0` runs them in one process.

LABKIT_TEST_PROVIDERS=embedded,local names the providers: one that can't start is then a failure, never a skip.
Without it the tests run on whatever is there. The last lines of the output say which providers ran, and which did
not and why. The provider `url` runs only when named: the tests empty its database.

A test that asks for `services`, or for `clean_services` whose database and Redis are empty, runs on each provider
that has a server; with `any_services` also on `sqlite`. In core these are `embedded` and `sqlite`: on real servers
the test is `full`, unless `@pytest.mark.real_servers("core", "push")` names its tiers: on the first real server
that is here, and on the others. All tests on one real server run in one process, so that it starts once.
`@pytest.mark.needs(Capability.RESTART)` leaves out the providers that can't do that. A test that asks for
`provider` gets the name alone, to start it by itself, real servers in the tier push;
`@pytest.mark.providers("containers")` narrows that down. `@pytest.mark.each("clause", clauses())` gives each value
on each provider that has all that the value `needs`.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import asyncmy
import pytest
import redis
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from labkit.errors import LabkitError
from labkit.recorder.task_dump import waiting
from labkit.services import Capability, Services, probe, provider_names, providers_with, services_in_thread
from labkit.services.providers import find_provider

REAL = ("local", "containers", "url")
NAMED = tuple(filter(None, (name.strip() for name in os.environ.get("LABKIT_TEST_PROVIDERS", "").split(","))))
ran: Counter[str] = Counter()
absent: dict[str, LabkitError] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*capabilities): run on providers that have these capabilities")
    config.addinivalue_line("markers", "providers(*names): give `provider` and `services` only these names")
    config.addinivalue_line("markers", "each(name, values): give each value where the services have its `needs`")
    config.addinivalue_line("markers", "real_servers(first, others): tiers on the first real server and on others")
    # A shell's background job is deaf to SIGINT, and so is all that it starts: tests send it, to themselves too.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for name in NAMED:
            find_provider(name)
    except LabkitError as error:
        raise pytest.UsageError(f"LABKIT_TEST_PROVIDERS: {error}") from error
    for name in provider_names() if not NAMED else ():
        try:
            probe(name).require()
        except LabkitError as error:
            absent[name] = error


@pytest.fixture
def provider(request: pytest.FixtureRequest) -> str:
    """Give the name of a provider, one after the other, and start nothing."""
    return str(request.param)


def providers_to_test() -> list[str]:
    if NAMED:
        return list(NAMED)
    return [name for name in provider_names() if name not in absent and name != "url"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = [name for mark in metafunc.definition.iter_markers("providers") for name in mark.args]
    wanted = [name for name in providers_to_test() if not named or name in named]
    if "provider" in metafunc.fixturenames:
        starts = [pytest.param(name, marks=tier_of(name, metafunc, ("push", "push"))) for name in wanted]
        metafunc.parametrize("provider", starts, indirect=True)
    if "services" not in metafunc.fixturenames:
        return
    needed = [need for mark in metafunc.definition.iter_markers("needs") for need in mark.args]
    if "any_services" not in metafunc.fixturenames:
        needed.append(Capability.SERVER)
    fit = [name for name in wanted if has_all(name, needed)]
    if mark := metafunc.definition.get_closest_marker("each"):
        argument, values = mark.args
        cells = [
            pytest.param(name, value, marks=marks_of(name, metafunc), id=f"{name}-{value.name}")
            for name in fit
            for value in values
            if has_all(name, value.needs)
        ]
        metafunc.parametrize(("services", argument), cells, indirect=["services"], scope="session")
    else:
        cells = [pytest.param(name, marks=marks_of(name, metafunc)) for name in fit]
        metafunc.parametrize("services", cells, indirect=True, scope="session")


def marks_of(provider: str, metafunc: pytest.Metafunc) -> list[pytest.MarkDecorator]:
    """The tier of a test on this provider, and for a real server the process in which it runs."""
    one_process = [pytest.mark.xdist_group(provider)] if provider in REAL else []
    return [*one_process, *tier_of(provider, metafunc, ("full", "full"))]


def tier_of(provider: str, metafunc: pytest.Metafunc, otherwise: tuple[str, str]) -> list[pytest.MarkDecorator]:
    """The tier of a test on this provider: `otherwise` on real servers, unless the test has its own."""
    if provider not in REAL:
        return []
    mark = metafunc.definition.get_closest_marker("real_servers")
    first, others = mark.args if mark else otherwise
    tier = first if provider == next(name for name in providers_to_test() if name in REAL) else others
    return [] if tier == "core" else [getattr(pytest.mark, tier)]


def has_all(provider: str, needs: Iterable[Capability]) -> bool:
    return all(provider in providers_with(need) for need in needs)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of one provider together: each starts once."""
    order = {name: place for place, name in enumerate(providers_to_test(), start=1)}
    items.sort(key=lambda item: order.get(provider_of(item), 0))


def provider_of(item: pytest.Item) -> str:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return str(params.get("services") or params.get("provider") or "")


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """Give running services, one provider after the other."""
    name = request.param
    if name in absent:
        stop_without(name)
    with services_in_thread(name) as running:
        ran[name] += 0
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Iterator[None]:
    """Remember a provider that did not start, so that the next test need not wait for the same failure."""
    try:
        return (yield)
    except LabkitError as error:
        if fixturedef.argname != "services" or request.param in absent:
            raise
        absent[request.param] = error
        stop_without(request.param)


def stop_without(name: str) -> None:
    if NAMED:
        raise absent[name]
    pytest.skip(f"{name}: {absent[name]}")


@pytest.fixture
def any_services(services: Services) -> Services:
    """Give running services, `sqlite` among them."""
    return services


@pytest.fixture
async def clean_services(services: Services) -> Services:
    """Give running services without tables, keys or anybody else's connections."""
    await wipe(services)
    return services


async def wipe(services: Services) -> None:
    """Drop all tables and forget all keys; end the connections that an earlier test left, they may hold locks."""
    with redis.Redis.from_url(services.redis_url) as client:
        client.flushall()
    if Capability.SERVER in services.capabilities:
        await wipe_mysql(services)
    else:
        await wipe_sqlite(services)


async def wipe_mysql(services: Services) -> None:
    url = make_url(services.database_url)
    async with (
        asyncmy.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, database=url.database
        ) as connection,
        connection.cursor() as cursor,
    ):
        await cursor.execute("SELECT CONNECTION_ID()")
        [own] = await cursor.fetchone()
        await cursor.execute("SHOW FULL PROCESSLIST")
        for number, user, *_ in await cursor.fetchall():
            if user == url.username and number != own:
                await kill(cursor, number)
        await cursor.execute("SHOW TABLES")
        tables = ", ".join(f"`{name}`" for [name] in await cursor.fetchall())
        if tables:
            await cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            await cursor.execute(f"DROP TABLE {tables}")


async def kill(cursor: asyncmy.cursors.Cursor, number: int) -> None:
    try:
        await cursor.execute(f"KILL {number}")
    except asyncmy.errors.MySQLError as error:
        if error.args[0] != 1094:  # it had gone by itself
            raise


async def wipe_sqlite(services: Services) -> None:
    engine = create_async_engine(services.database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        names = await connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for [name] in names.all():
            await connection.exec_driver_sql(f'DROP TABLE "{name}"')
        await connection.commit()
    await engine.dispose()


WAITING = pytest.StashKey[str]()


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Iterator[None]:
    """When a test is over its limit, write down where each task and thread is, before the test is stopped."""
    result = yield
    if hasattr(signal, "SIGALRM") and callable(stop := signal.getsignal(signal.SIGALRM)):

        def late(number: int, frame: FrameType | None) -> None:
            item.stash[WAITING] = "\n".join(map(str, waiting(frame=frame)))
            stop(number, frame)

        signal.signal(signal.SIGALRM, late)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if where := item.stash.get(WAITING, ""):
        report.sections.append(("Where each task and thread was", where))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    if provider := provider_of(item):
        ran[provider] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """As one of several processes that run the tests (`-n 2`), report to the first."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["providers"] = dict(ran), {name: str(why) for name, why in absent.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take what a process that ran tests reports."""
    its_ran, its_absent = getattr(node, "workeroutput", {}).get("providers", ({}, {}))
    ran.update(its_ran)
    absent.update({name: LabkitError(why) for name, why in its_absent.items()})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("providers")
    for name in NAMED or provider_names():
        if name in absent:
            verdict = f"did not run: {absent[name]}"
        elif ran[name]:
            verdict = f"ran {ran[name]} tests"
        else:
            verdict = "did not run: no test of this run asked for it"
        terminalreporter.write_line(f"{name:<11}{verdict}")
