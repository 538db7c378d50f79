"""The two images as Testcontainers runs them, but for one thing: a server is ready when it answers a login."""

from __future__ import annotations

from testcontainers.community.mysql import MySqlContainer
from testcontainers.community.redis import RedisContainer
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from labkit.services.docker_engine import PATIENCE
from labkit.services.mysqld import ALIKE, DATABASE, QUICK, USER, new_password

__all__ = ["mysql_container", "redis_container"]

CONFIG = "/etc/labkit-redis.conf"
GRANTS = "/docker-entrypoint-initdb.d/labkit.sql"
ENGINE = {"timeout": PATIENCE}


class Mysql(MySqlContainer):
    """MySQL's image, not waited for: its log says "ready" a second after it answers."""

    def _connect(self) -> None:
        pass


class Started(WaitStrategy):
    """Wait for nothing: the login that follows does."""

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Return at once."""


def mysql_container(image: str, password: str) -> MySqlContainer:
    """Return MySQL with the user `lab`, who may do everything; nothing is started yet."""
    container = Mysql(
        image,
        username=USER,
        password=password,
        root_password=new_password(),
        dbname=DATABASE,
        docker_client_kw=ENGINE,
    )
    container.with_command([*QUICK, *ALIKE])
    container.with_envs(MYSQL_ROOT_HOST="localhost", MYSQL_INITDB_SKIP_TZINFO="1")
    grants = f"GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
    return container.with_copy_into_container(grants.encode(), GRANTS)


def redis_container(image: str, password: str) -> RedisContainer:
    """Return Redis with a password and no files of its own; nothing is started yet."""
    container = RedisContainer(image, docker_client_kw=ENGINE)
    # A password among the arguments would show in the list of processes.
    config = f'requirepass {password}\nsave ""\nappendonly no\n'
    container.with_copy_into_container(config.encode(), CONFIG).with_command(["--include", CONFIG])
    return container.waiting_for(Started())
