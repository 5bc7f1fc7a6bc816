"""Models and mounts."""

from proxy.config.model import Model, Mount, Override


def test_nothing_is_dropped_unless_told() -> None:
    assert Model(targets=("a/b",)).drop_params == ()


def test_a_mount_wants_a_key() -> None:
    assert Mount(provider="a") == Mount(provider="a", auth="key", heartbeat=0.0, open_to_all=False)


def test_nothing_that_costs_twice_happens_unless_told() -> None:
    model = Model(targets=("a/b",))
    assert (model.rescue, model.hedge_after, model.on_disconnect) == ("off", 0.0, "cancel")


def test_an_override_changes_nothing_but_what_it_gives() -> None:
    override = Override()
    assert (override.tier, override.first_byte, override.ttft, override.progress, override.drop_params) == (None,) * 5
    assert override.weight == 1
