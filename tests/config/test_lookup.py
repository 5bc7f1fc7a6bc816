"""Where a model's name leads."""

import pytest

from proxy.config.lookup import Found, Goal, ModelTable
from proxy.config.model import Config, Model, Provider
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


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        ("claude-sonnet-4-5", Goal("claude", "exact")),
        ("claude-opus-4-1", Goal("claude", "four")),
        ("claude-3", Goal("claude", "claude-3")),
        ("claude-", Goal("claude", "claude-")),
        ("openai/gpt-5", Goal("claude", "instead")),
        ("openai/gpt-6", Goal("openai", "rest")),
        ("gpt.?[1m]x", Goal("openai", "gpt.?[1m]x")),
        ("gptx?[1m]", Goal("openai", "rest")),
        ("aaa", Goal("openai", "first")),
        ("a\nb", Goal("openai", "rest")),
    ],
)
def test_exact_name_then_longest_pattern(asked: str, goal: Goal) -> None:
    found = FULL.find(asked)
    assert found is not None
    assert found.goals[0] == goal


def test_every_target_is_a_goal_and_the_asked_name_is_kept() -> None:
    assert FULL.find("claude-3") == Found((Goal("claude", "claude-3"), Goal("openai", "claude")))
    exact = FULL.find("claude-sonnet-4-5")
    assert exact is not None
    assert exact.drop_params == {"logit_bias"}


def test_provider_and_model_need_no_entry() -> None:
    assert BARE.find("claude/claude-opus-4-1") == Found((Goal("claude", "claude-opus-4-1"),))
    assert BARE.find("openai/meta/llama:free") == Found((Goal("openai", "meta/llama:free"),))


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
