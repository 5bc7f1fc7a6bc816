"""Whatever a server of the OpenAI family sends: the decoder never raises, and its events are in order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.openai_chat import PROVIDER
from tests.helpers.feeds import CutBytes, cut_anywhere, fuzz
from tests.helpers.openai_chat import DONE, chunk, decode, event, make_turn, with_tools
from tests.helpers.order import decode_stream

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            "choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "index", "id",
            "usage", "error", "finish_reason", "type", "text", "thinking", "reasoning", "images", "image_url", "url",
            "extra_content", "google", "reasoning_details", "function_call", "custom", "prompt_tokens", "input",
            "x_groq", "object", "model", "refusal", "stop_reason",
        ]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@fuzz
@given(st.lists(ANY | st.builds(lambda delta: {"choices": [{"delta": delta}]}, ANY), max_size=5), st.booleans())
def test_nothing_that_is_json_raises(values: list[Any], done: bool) -> None:
    decode(*map(event, values), DONE if done else b"", turn=with_tools("add"))


@st.composite
def noise(draw: st.DrawFn) -> bytes:
    return b"".join(draw(st.lists(st.sampled_from([chunk({"content": "x"}), DONE, b"data: ", b"\n", b"{", b"\xff"]))))


@fuzz
@given(cut_anywhere(noise()))
def test_bytes_may_be_anything_and_cut_anywhere(cut: CutBytes) -> None:
    data, pieces = cut
    assert decode_stream(PROVIDER.open_decoder(make_turn()), data, pieces) == decode(data)
