"""The response object of a client's stream."""

from typing import Any

from proxy.dialects.events import (
    Event,
    Finish,
    Reason,
    Start,
)
from proxy.dialects.parts import Message, OutputFormat, Reasoning, Text, ToolChoice, ToolMode
from tests.helpers.responses import (
    TEXT,
    encode,
    make_request,
    make_turn,
    read,
    tell,
)


def final(events: list[Event]) -> dict[str, Any]:
    response: dict[str, Any] = read(encode(events))[-1]["response"]
    return response


class TestResponse:
    def test_it_says_who_answered_and_what_was_asked(self) -> None:
        request = make_request(
            Message("user", (Text("hello"),)), max_tokens=50, temperature=0.5, top_p=0.9, parallel_tools=False,
            metadata={"a": "b"}, user="u", service_tier="flex", reasoning=Reasoning("adaptive"),
            output=OutputFormat({"type": "object"}, "n", True), tool_choice=ToolChoice(ToolMode.ANY, ("ns::f",)),
        )  # fmt: skip
        told = read(encode(tell(TEXT), make_turn(request)))
        for event in (told[0], told[1], told[-1]):
            response = event["response"]
            assert response["id"].startswith("resp_")
            assert (response["object"], response["model"], response["created_at"]) == (
                "response",
                "model-1",
                1700000000,
            )
            assert (response["max_output_tokens"], response["temperature"], response["top_p"]) == (50, 0.5, 0.9)
            assert (response["store"], response["background"], response["parallel_tool_calls"]) == (False, False, False)
            assert response["tool_choice"] == {"type": "function", "name": "f"}
            assert response["text"]["format"]["name"] == "n"
        assert (told[0]["response"]["status"], told[0]["response"]["usage"]) == ("in_progress", None)

    def test_the_provider_s_own_id_is_kept_where_it_fits(self) -> None:
        events = [Start("resp_abc", ""), Finish(Reason.STOP)]
        assert (final(events)["id"], final(events)["model"]) == ("resp_abc", "asked")
        assert final([Start("chatcmpl-1"), Finish(Reason.STOP)])["id"] != "chatcmpl-1"

    def test_usage_is_cumulative_and_whole(self) -> None:
        assert final(tell(TEXT))["usage"] == {
            "input_tokens": 9, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16,
        }  # fmt: skip
        assert final([Start(), Finish(Reason.STOP)])["usage"] is None
