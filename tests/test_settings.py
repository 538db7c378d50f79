"""A setting is checked when it is read; one that can't be used is named, and its value is never repeated."""

from __future__ import annotations

import pytest

from labkit.errors import InvalidSetting
from labkit.settings import read_settings


def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_POOL_SIZE", "7")

    assert read_settings().pool_size == 7


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LABKIT_POOL_SIZE", "s3cret"),
        ("LABKIT_POOL_SIZE", "0"),
        ("LABKIT_MAX_OVERFLOW", "-1"),
        ("LABKIT_POOL_TIMEOUT", "0"),
        ("LABKIT_FIND_LIMIT", "0"),
        ("LABKIT_CACHE_TTL", "s3cret"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(InvalidSetting, match=variable):
        read_settings()


def test_a_value_that_can_not_be_used_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_POOL_SIZE", "s3cret")

    with pytest.raises(InvalidSetting) as refused:
        read_settings()
    assert "s3cret" not in str(refused.value)


def test_the_urls_do_not_show_in_a_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_DATABASE_URL", "mysql+asyncmy://lab:s3cret@h/lab")
    monkeypatch.setenv("LABKIT_REDIS_URL", "redis://:s3cret@h/0")

    assert "s3cret" not in repr(read_settings())
