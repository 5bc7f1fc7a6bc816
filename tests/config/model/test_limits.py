"""Limits."""

import pytest

from proxy.config.model import Limits


def test_defaults_are_the_documented_ones() -> None:
    limits = Limits()
    assert (limits.max_body, limits.connect, limits.first_byte) == (32 << 20, 10.0, 60.0)
    assert (limits.idle, limits.write_stall, limits.drain) == (300.0, 60.0, 30.0)
    assert (limits.ttft, limits.progress, limits.deadline) == (60.0, 120.0, 180.0)
    assert (limits.hold_status, limits.heartbeat, limits.cooldown_max) == (10.0, 10.0, 3600.0)
    assert (limits.attempts, limits.attempts_per_provider, limits.retry_budget) == (6, 3, 0.2)
    assert (limits.connections, limits.connections_per_address, limits.memory) == (10_000, 0, 0)
    assert (limits.body_idle, limits.body_rate, limits.streams) == (30.0, 64, 10_000)


def test_model_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Limits().idle = 1.0  # type: ignore[misc]
