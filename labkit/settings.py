"""Settings: what can be chosen from outside, read from `LABKIT_…` variables; reading them opens nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from labkit.errors import InvalidSetting

__all__ = ["Settings", "install_command", "read_settings"]


class Settings(BaseSettings):
    """
    Choose servers, sizes and time limits; every field can be set as `LABKIT_<FIELD>` in the environment.

    Times are in seconds. URLs are secrets: they never show in a `repr`.
    """

    model_config = SettingsConfigDict(env_prefix="LABKIT_", frozen=True, extra="forbid")

    provider: str = Field("embedded", description="where MySQL and Redis come from")
    database_url: SecretStr | None = Field(None, description="your own MySQL, for the provider `url`")
    redis_url: SecretStr | None = Field(None, description="your own Redis, for the provider `url`")

    pool_size: int = Field(5, ge=1, description="connections kept open")
    max_overflow: int = Field(10, ge=0, description="connections opened beyond that under load")
    pool_timeout: float = Field(10.0, gt=0, description="longest wait for a free connection")
    pool_recycle: float = Field(1800.0, gt=0, description="age at which a connection is replaced")
    connect_timeout: float = Field(5.0, gt=0, description="longest wait for a server to answer a login")
    ping_after: float = Field(0.5, ge=0, description="idleness after which a connection is tested; 0 tests always")
    statement_timeout: float = Field(
        30.0, gt=0, description="longest wait for the answer to a statement or a commit"
    )
    echo_pool: bool = Field(False, description="log every checkout and checkin")

    cache_ttl: float = Field(60.0, gt=0, description="longest life of a cached row")
    redis_timeout: float = Field(0.5, gt=0, description="longest wait for Redis before doing without it")
    find_limit: int = Field(1000, ge=1, description="most rows that one `find` may ask for")
    subscriber_buffer: int = Field(1000, ge=1, description="messages kept for a slow subscriber")

    mysql_image: str = Field("mysql:9.7", description="image that the provider `containers` starts")
    redis_image: str = Field("redis:8", description="image that the provider `containers` starts")


def read_settings() -> Settings:
    """
    Read the settings from the environment.

    Raises `InvalidSetting` naming the variables at fault; their values are not repeated, they may be secrets.
    """
    try:
        return Settings()
    except ValidationError as invalid:
        faults = "; ".join(
            f"LABKIT_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in invalid.errors()
        )
        raise InvalidSetting(f"The environment holds settings that can't be used: {faults}.") from None


def install_command() -> str:
    """
    Return the line that installs all that the course needs into the Python that runs now.

    It names the clone: on PyPI there is another project's package under this name.
    """
    clone = Path(__file__).parents[1]
    if (clone / "requirements.lock").exists():
        return f'cd {clone} && {sys.executable} -m pip install -c requirements.lock -e ".[lab]"'
    return f'{sys.executable} -m pip install "PATH_TO_THE_CLONE[lab]"'
