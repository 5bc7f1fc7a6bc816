"""Any JSON as a request: it is understood, or refused by a path that stands in it; what is understood can be sent."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.anthropic_messages import CLIENT, PROVIDER
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Invalid, Target
from tests.helpers.anthropic_turns import CLAUDE, dump
from tests.helpers.feeds import fuzz

_scalars = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(allow_nan=False) | st.sampled_from(["", "x", " "])
_words = st.sampled_from([
    "text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "custom", "base64", "url",
    "content", "auto", "any", "tool", "enabled", "adaptive", "disabled", "ephemeral", "web_search_1", "json_schema",
])  # fmt: skip
_names = st.sampled_from([
    "type", "text", "source", "data", "media_type", "url", "id", "name", "input", "tool_use_id", "content", "is_error",
    "thinking", "signature", "cache_control", "title", "context", "citations", "enabled", "input_schema", "strict",
    "description", "budget_tokens", "display", "schema", "effort", "format", "user_id",
])  # fmt: skip


def _grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(_names, inner, max_size=5)
    return st.lists(inner, max_size=3) | objects | st.builds(lambda kind, rest: {**rest, "type": kind}, _words, objects)


_values = st.recursive(_scalars | _words, _grow, max_leaves=10)
_messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": _values}),
    min_size=1,
    max_size=3,
)
_bodies = st.builds(
    lambda messages, rest: {"model": "m", "max_tokens": 5, "messages": messages, **rest},
    _messages,
    st.dictionaries(
        st.sampled_from([
            "system", "tools", "tool_choice", "thinking", "output_config", "metadata", "stop_sequences", "stream",
            "temperature", "top_k", "messages", "model", "novelty",
        ]),
        _values,
        max_size=3,
    ),
)  # fmt: skip


@fuzz
@given(
    _bodies, st.sampled_from([CLAUDE, Capabilities(), Capabilities(thinking="adaptive", images=False, prefill=False)])
)
def test_any_json_is_understood_or_refused(body: Any, capabilities: Capabilities) -> None:
    try:
        request = CLIENT.parse_request(dump(body), Asked())
        outgoing = PROVIDER.build_request(request, Target("claude", capabilities))
    except Invalid as invalid:
        param = invalid.param
    else:
        check_sent(json.loads(outgoing.body))
        return
    assert param.partition(".")[0].partition("[")[0] in {*body, "messages"}


def check_sent(sent: dict[str, Any]) -> None:
    assert sent["messages"][0]["role"] == "user"
    assert all(message["content"] for message in sent["messages"])
