"""Databases on every driver, and recorders that no test leaves running."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import Pool

from labkit.recorder import patching
from labkit.recorder.hooks import pools
from labkit.services import Services, services_in_thread

from .aids import DRIVERS

# Each provider that has a server, with the drivers that it is tried on: what differs is the driver, not the server.
_TRIED = {"sqlite": {"aiosqlite"}, "embedded": {"asyncmy", "aiomysql"}}

MakeEngine = Callable[..., AsyncEngine]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "driver" in metafunc.fixturenames:
        metafunc.parametrize("driver", DRIVERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what a provider can't be: a driver of MySQL on SQLite, or the other way round."""
    items[:] = [item for item in items if _fits(item)]


def _fits(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if "driver" not in params or "services" not in params or Path(__file__).parent not in item.path.parents:
        return True
    return params["driver"] in _TRIED.get(str(params["services"]), {"asyncmy"})


@pytest.fixture
def url(any_services: Services, driver: str) -> str:
    """Give the URL of a database, on each driver and each provider that has one for it."""
    return re.sub(r"^mysql(\+\w+)?:", f"mysql+{driver}:", any_services.database_url)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """Give the URL of a database in a file: enough where no driver of MySQL does anything else."""
    return f"sqlite+aiosqlite:///{tmp_path}/recorder.db"


@pytest.fixture
def make_engine(sqlite: str) -> MakeEngine:
    """Make an engine on a database in a file."""
    return lambda **options: create_async_engine(sqlite, **options)


@pytest.fixture(autouse=True, scope="module")
def little_to_collect() -> Iterator[None]:
    """Spare the tests, which collect garbage again and again, all that was there before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Fail a test that leaves a recorder running, or anything of it in the libraries."""
    yield
    # One that still has something to say to a loop that has closed must not say it in the next test.
    for thread in threading.enumerate():
        if thread.name.endswith("(_connection_worker_thread)"):
            thread.join(1.0)
    gc.collect()  # what this test has dropped complains now, and not in the test that happens to be next
    left = patching.active()
    for trackers in left:
        patching.deactivate(trackers)
    assert left == ()
    assert not event.contains(Pool, "checkout", pools.checkout)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Give the URL of a Redis that is quickly there: for tests in which no server matters."""
    with services_in_thread("sqlite") as running:
        assert running.redis_url
        yield running.redis_url
