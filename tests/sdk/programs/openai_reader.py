"""Reads answers by the openai SDK: files named `chat-…` and `responses-…`, each checked against the SDK's own types."""

from typing import Any

import openai
from folder import read_all, serve
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

CLIENT = openai.OpenAI(base_url=serve() + "/v1", api_key="none", max_retries=0)
EVENTS: Any = TypeAdapter(ResponseStreamEvent)


def read(name: str, said: Any) -> None:
    if name.startswith("chat-"):
        read_chat(name, said)
    else:
        read_responses(name, said)


def read_chat(name: str, said: Any) -> None:
    messages: Any = [{"role": "user", "content": "hello"}]
    if name.endswith(".sse"):
        for chunk in CLIENT.chat.completions.create(model=name, messages=messages, stream=True):
            ChatCompletionChunk.model_validate(chunk.to_dict())
            for choice in chunk.choices:
                assert said["stop"] is None
                note(choice.delta, said)
                said["stop"] = choice.finish_reason
    else:
        answer = CLIENT.chat.completions.create(model=name, messages=messages)
        ChatCompletion.model_validate(answer.to_dict())
        note(answer.choices[0].message, said)
        said["stop"] = answer.choices[0].finish_reason


def note(part: Any, said: Any) -> None:
    said["text"] += part.content or ""
    said["refusal"] += part.refusal or ""
    said["thought"] += getattr(part, "reasoning_content", None) or ""
    for call in part.tool_calls or ():
        if call.id:
            assert getattr(call, "index", len(said["calls"])) == len(said["calls"])
            said["calls"].append(["", ""])
        place = getattr(call, "index", -1)
        for at, piece in enumerate((call.function.name, call.function.arguments)):
            said["calls"][place][at] += piece or ""


def read_responses(name: str, said: Any) -> None:
    if name.endswith(".sse"):
        answer = None
        for number, event in enumerate(CLIENT.responses.create(model=name, input="hello", stream=True)):
            if (
                event.type == "response.failed"
            ):  # the API has more codes than the type knows, insufficient_quota for one
                raise openai.OpenAIError(event.response.error.message)
            EVENTS.validate_python(event.to_dict())
            assert event.sequence_number == number
            if event.type == "response.output_text.delta":
                said["text"] += event.delta
            elif event.type in ("response.completed", "response.incomplete"):
                answer = event.response
        assert answer is not None
        assert answer.output_text == said["text"]
    else:
        answer = CLIENT.responses.create(model=name, input="hello")
    Response.model_validate(answer.to_dict())
    said["text"], said["stop"] = answer.output_text, answer.status
    for item in answer.output:
        if item.type == "function_call":
            said["calls"].append([item.name, item.arguments])
        elif item.type == "reasoning":
            said["thought"] += "".join(piece.text for piece in [*item.summary, *(item.content or ())])
        elif item.type == "message":
            said["refusal"] += "".join(part.refusal for part in item.content if part.type == "refusal")


read_all(read)
