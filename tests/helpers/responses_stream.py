"""Events of Responses providers, as little as a test needs of them, and what a stream of them says."""

from typing import Any

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure
from proxy.dialects.parts import Json
from tests.helpers.responses import decode, stream

CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt"}}


def completed(*output: Json, status: str = "completed", **members: Json) -> dict[str, Json]:
    response = {"id": "resp_1", "model": "gpt", "status": status, "output": list(output), **members}
    return {"type": f"response.{status}", "response": response}


def added(index: int, **item: Json) -> dict[str, Json]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, **item: Json) -> dict[str, Json]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def said(text: str, index: int = 0, part: int = 0, kind: str = "output_text") -> dict[str, Json]:
    return {"type": f"response.{kind}.delta", "output_index": index, "content_index": part, "delta": text}


def argued(text: str, index: int = 0) -> dict[str, Json]:
    return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": text}


def call(index: int, arguments: str, name: str = "add") -> dict[str, Json]:
    return {"id": f"fc_{index}", "type": "function_call", "call_id": f"call_{index}", "name": name,
            "arguments": arguments}  # fmt: skip


def message(*texts: str) -> dict[str, Json]:
    return {"id": "msg_1", "type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": text} for text in texts]}  # fmt: skip


def parts(*events: dict[str, Json]) -> list[Any]:
    return fold(decode(stream(*events))).parts


def failure(events: list[Event]) -> Failure:
    assert isinstance(events[-1], Failure)
    return events[-1]
