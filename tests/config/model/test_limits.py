"""Limits."""

import pytest

from proxy.config.model import Limits


def test_defaults_are_the_documented_ones() -> None:
    limits = Limits()
    assert (limits.max_body, limits.connect, limits.first_byte) == (32 << 20, 10.0, 60.0)
    assert (limits.idle, limits.write_stall, limits.drain) == (300.0, 60.0, 30.0)
    assert (limits.body_idle, limits.body_rate, limits.streams) == (30.0, 64, 10_000)


def test_model_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Limits().idle = 1.0  # type: ignore[misc]
