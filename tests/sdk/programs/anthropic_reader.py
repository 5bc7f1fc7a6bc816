"""Reads answers by the anthropic SDK, whose helper gathers a stream; all is checked against the SDK's own types."""

import json
from typing import Any

import anthropic
from anthropic.types import Message, RawMessageStreamEvent
from folder import read_all, serve
from pydantic import TypeAdapter

CLIENT = anthropic.Anthropic(base_url=serve(), api_key="none", max_retries=0)
EVENTS: Any = TypeAdapter(RawMessageStreamEvent)
ASKED: Any = {"max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}


def read(name: str, said: Any) -> None:
    if name.endswith(".sse"):
        for event in CLIENT.messages.create(model=name, stream=True, **ASKED):
            EVENTS.validate_python(event.to_dict())
        with CLIENT.messages.stream(model=name, **ASKED) as stream:
            texts = list(stream.text_stream)
            answer = stream.get_final_message()
        assert "".join(texts) == "".join(block.text for block in answer.content if block.type == "text")
    else:
        answer = CLIENT.messages.create(model=name, **ASKED)
    Message.model_validate(answer.to_dict())
    said["stop"] = answer.stop_reason
    for block in answer.content:
        if block.type == "text":
            said["text"] += block.text
        elif block.type == "thinking":
            said["thought"] += block.thinking
        elif block.type == "tool_use":
            said["calls"].append([block.name, json.dumps(block.input)])


read_all(read)
