"""What does not go along is dropped by name or refused by name."""

from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.parts import Request


def build_fitting(drop: frozenset[str] = frozenset(), **fields: Any) -> Fitting:
    request = Request("m", [], "openai-chat", **fields)
    return Fitting(request, Target("m", Capabilities(), drop))


def test_what_was_not_given_is_neither_dropped_nor_refused() -> None:
    fitting = build_fitting(top_k=None)
    fitting.drop("top_k")
    fitting.refuse("seed")
    assert fitting.dropped == []


def test_a_field_is_dropped_under_the_clients_name_once() -> None:
    fitting = build_fitting(max_tokens=5, named={"max_tokens": "max_completion_tokens"})
    fitting.drop("max_tokens")
    fitting.drop("max_tokens")
    assert fitting.dropped == ["max_completion_tokens"]
    assert fitting.name("max_tokens") == "max_completion_tokens"
    assert fitting.name("seed") == "seed"


def test_a_field_is_refused_under_the_clients_name() -> None:
    fitting = build_fitting(seed=5, named={"seed": "generationConfig.seed"})
    with pytest.raises(Invalid, match="no seeds") as refused:
        fitting.refuse("seed", "no seeds here")
    assert refused.value.param == "generationConfig.seed"


def test_what_the_configuration_drops_is_not_refused() -> None:
    fitting = build_fitting(frozenset({"generationConfig.seed"}), named={"seed": "generationConfig.seed"})
    fitting.refuse("seed")
    fitting.refuse_name("generationConfig.seed")
    assert fitting.dropped == ["generationConfig.seed"]


def test_extras_are_known_droppable_unsaid_or_refused() -> None:
    extra = {"logit_bias": {}, "store": True, "none": None, "other": 1}
    fitting = build_fitting(extra=extra)
    with pytest.raises(Invalid) as refused:
        fitting.refuse_extra(known=["logit_bias"], droppable=["store"])
    assert refused.value.param == "other"
    assert fitting.dropped == ["store"]
    del extra["other"]
    fitting.refuse_extra(known=["logit_bias"], droppable=["store"])
    assert fitting.dropped == ["store"]
