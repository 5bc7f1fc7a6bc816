"""Strict readers of whole answers and of HTTP errors, one of each per dialect, into a Heard."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.failover.heard import Heard


def _read_chat(value: Any, heard: Heard) -> None:
    heard.expect(value["object"] == "chat.completion", "not a completion")
    (choice,) = value["choices"]
    heard.text = choice["message"]["content"]
    heard.finished = choice["finish_reason"] == "stop"
    heard.model = value["model"]
    heard.tokens = value["usage"]["prompt_tokens"], value["usage"]["completion_tokens"]


def _read_anthropic(value: Any, heard: Heard) -> None:
    heard.expect(value["type"] == "message", "not a message")
    heard.text = "".join(block["text"] for block in value["content"])
    heard.finished = value["stop_reason"] == "end_turn"
    heard.model = value["model"]
    heard.tokens = value["usage"]["input_tokens"], value["usage"]["output_tokens"]


def _read_gemini(value: Any, heard: Heard) -> None:
    (candidate,) = value["candidates"]
    heard.text = "".join(part["text"] for part in candidate["content"]["parts"])
    heard.finished = candidate["finishReason"] == "STOP"
    heard.model = value["modelVersion"]
    heard.tokens = value["usageMetadata"]["promptTokenCount"], value["usageMetadata"]["candidatesTokenCount"]


def _read_responses(value: Any, heard: Heard) -> None:
    heard.expect(value["object"] == "response", "not a response")
    heard.text = "".join(part["text"] for item in value["output"] for part in item["content"])
    heard.finished = value["status"] == "completed"
    heard.model = value["model"]
    heard.tokens = value["usage"]["input_tokens"], value["usage"]["output_tokens"]


_READERS: Final[Mapping[str, Callable[[Any, Heard], None]]] = {
    "openai-chat": _read_chat,
    "openai-responses": _read_responses,
    "anthropic": _read_anthropic,
    "gemini": _read_gemini,
}


def read_document(dialect: str, body: bytes, heard: Heard) -> None:
    """Read an answer in one piece: the model's, or an error with its status."""
    try:
        value = json.loads(body)
        if heard.status == 200:
            _READERS[dialect](value, heard)
            heard.complete = heard.finished
        else:
            _read_error(dialect, value, heard)
    except (ValueError, KeyError, TypeError) as bad:
        heard.faults.append(f"a document that cannot be read: {bad!r}")


def _read_error(dialect: str, value: Any, heard: Heard) -> None:
    error = value["error"]
    heard.error = error["message"]
    if dialect == "anthropic":
        heard.expect(value["type"] == "error" and bool(error["type"]), "not Anthropic's error")
    elif dialect == "gemini":
        heard.expect(error["code"] == heard.status and error["status"].isupper(), "not Google's error")
    else:
        heard.expect({"type", "param", "code"} <= set(error), "not OpenAI's error")
