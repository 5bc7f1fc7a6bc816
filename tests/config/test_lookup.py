"""Where a model's name leads."""

import pytest

from proxy.config.lookup import Found, Goal, ModelTable, Plan
from proxy.config.model import Config, Limits, Model, Override, Provider
from proxy.config.syntax import MAX_MODEL

PROVIDERS = {
    "openai": Provider(dialect="openai-chat", base_url="http://a"),
    "claude": Provider(dialect="anthropic", base_url="http://b"),
    "weather": Provider(dialect="raw", base_url="http://c"),
}
MODELS = {
    "*": Model(targets=("openai/rest",)),
    "claude-*": Model(targets=("claude/*", "openai/claude")),
    "claude-*-4*": Model(targets=("claude/four",)),
    "claude-sonnet-4-5": Model(targets=("claude/exact",), drop_params=("logit_bias",)),
    "gpt.?[1m]*": Model(targets=("openai/*",)),
    "openai/gpt-5": Model(targets=("claude/instead",)),
    "aa*": Model(targets=("openai/first",)),
    "*aa": Model(targets=("openai/second",)),
}
FULL = ModelTable(Config(providers=PROVIDERS, models=MODELS))
BARE = ModelTable(Config(providers=PROVIDERS, models={"gpt-5": Model(targets=("openai/gpt-5",))}))


def find(table: ModelTable, asked: str) -> Found:
    found = table.find(asked)
    assert found is not None
    return found


def aim(table: ModelTable, asked: str) -> list[tuple[str, str]]:
    return [(goal.provider, goal.model) for goal in find(table, asked).goals]


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        ("claude-sonnet-4-5", ("claude", "exact")),
        ("claude-opus-4-1", ("claude", "four")),
        ("claude-3", ("claude", "claude-3")),
        ("claude-", ("claude", "claude-")),
        ("openai/gpt-5", ("claude", "instead")),
        ("openai/gpt-6", ("openai", "rest")),
        ("gpt.?[1m]x", ("openai", "gpt.?[1m]x")),
        ("gptx?[1m]", ("openai", "rest")),
        ("aaa", ("openai", "first")),
        ("a\nb", ("openai", "rest")),
    ],
)
def test_exact_name_then_longest_pattern(asked: str, goal: tuple[str, str]) -> None:
    assert aim(FULL, asked)[0] == goal


def test_every_target_is_a_goal_and_the_asked_name_is_kept() -> None:
    assert aim(FULL, "claude-3") == [("claude", "claude-3"), ("openai", "claude")]
    assert find(FULL, "claude-3").entry == "claude-*"
    assert find(FULL, "claude-sonnet-4-5").goals[0].drop_params == {"logit_bias"}


def test_provider_and_model_need_no_entry() -> None:
    assert aim(BARE, "claude/claude-opus-4-1") == [("claude", "claude-opus-4-1")]
    assert aim(BARE, "openai/meta/llama:free") == [("openai", "meta/llama:free")]
    assert find(BARE, "openai/meta/llama:free").entry == "openai/*"


@pytest.mark.parametrize(
    "asked", ["", "gpt-6", "openai", "openai/", "/x", "cluade/x", "weather/x", "x" * (MAX_MODEL + 1)]
)
def test_anything_else_is_unknown(asked: str) -> None:
    assert BARE.find(asked) is None


@pytest.mark.parametrize(
    ("table", "asked", "names"),
    [
        (BARE, "gpt-51", ["gpt-5"]),
        (BARE, "cluade/opus", ["claude/opus"]),
        (BARE, "weathre/x", []),
        (BARE, "", []),
        (FULL, "claude-sonet-4-5", ["claude-sonnet-4-5", "claude-*-4*"]),
    ],
)
def test_nearest_names_are_offered(table: ModelTable, asked: str, names: list[str]) -> None:
    assert table.suggest(asked) == names


def test_names_are_those_that_can_be_asked_for() -> None:
    assert FULL.names == ("claude-sonnet-4-5", "openai/gpt-5")


def test_many_stars_are_no_burden() -> None:
    table = ModelTable(Config(models={"a*" * 20 + "b": Model(targets=("openai/x",))}, providers=PROVIDERS))
    assert table.find("a" * MAX_MODEL) is None


LIMITS = Limits(first_byte=1.0, ttft=2.0, progress=3.0, deadline=4.0, attempts=5)


def test_limits_stand_in_for_what_is_left_open() -> None:
    table = ModelTable(Config(limits=LIMITS, providers=PROVIDERS, models={"m": Model(targets=("openai/x",))}))
    goal = Goal("openai", "x", tier=1, weight=1, first_byte=1.0, ttft=2.0, progress=3.0)
    plan = Plan(5, 4.0, "off", None, False, 0.05, "cancel", 20.0)
    assert table.find("m") == Found((goal,), plan, "m")
    assert table.find("openai/x") == Found((goal,), plan, "openai/*")


def test_a_model_goes_over_limits_and_an_override_over_its_model() -> None:
    first = Override(first_byte=11.0, ttft=12.0, progress=0.0, weight=7, drop_params=())
    model = Model(
        targets=("openai/x", "claude/*"),
        drop_params=("seed",),
        attempts=1,
        deadline=0.0,
        first_byte=0.0,
        ttft=21.0,
        rescue="continue",
        hedge_after=2.5,
        hedge_budget=1.0,
        on_disconnect="drain",
        drain_for=9.0,
        overrides={"openai/x": first, "claude/*": Override(drop_params=("top_k", "user"))},
    )
    found = find(ModelTable(Config(limits=LIMITS, providers=PROVIDERS, models={"m": model})), "m")
    assert found.plan == Plan(1, 0.0, "continue", 2.5, False, 1.0, "drain", 9.0)
    assert found.goals == (
        Goal("openai", "x", 1, 7, 11.0, 12.0, 0.0),
        Goal("claude", "m", 2, 1, 0.0, 21.0, 3.0, frozenset({"top_k", "user"})),
    )


@pytest.mark.parametrize(("hedge", "expected"), [(0.0, (None, False)), (1.5, (1.5, False)), ("p95", (None, True))])
def test_hedging_is_off_or_after_a_time_or_after_the_usual_one(
    hedge: float | str, expected: tuple[float | None, bool]
) -> None:
    models = {"m": Model(targets=("openai/x",), hedge_after=hedge)}
    plan = find(ModelTable(Config(providers=PROVIDERS, models=models)), "m").plan
    assert (plan.hedge_after, plan.hedge_p95) == expected


@pytest.mark.parametrize(
    ("tiers", "order"),
    [
        ({}, ["a1", "b2", "c3"]),
        ({"b": 1}, ["a1", "b1", "c3"]),
        ({"a": 3}, ["b2", "a3", "c3"]),
        ({"a": 9, "b": 1, "c": 1}, ["b1", "c1", "a9"]),
    ],
)
def test_a_lower_tier_goes_first_and_the_place_in_the_list_is_one(tiers: dict[str, int], order: list[str]) -> None:
    overrides = {f"openai/{name}": Override(tier=tier) for name, tier in tiers.items()}
    models = {"m": Model(targets=("openai/a", "openai/b", "openai/c"), overrides=overrides)}
    found = find(ModelTable(Config(providers=PROVIDERS, models=models)), "m")
    assert [f"{goal.model}{goal.tier}" for goal in found.goals] == order
