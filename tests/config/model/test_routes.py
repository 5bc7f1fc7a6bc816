"""Models and mounts."""

from proxy.config.model import Model, Mount


def test_nothing_is_dropped_unless_told() -> None:
    assert Model(targets=("a/b",)).drop_params == ()


def test_a_mount_wants_a_key() -> None:
    assert Mount(provider="a") == Mount(provider="a", auth="key", heartbeat=0.0, open_to_all=False)
