"""The conversation of a request, from the hub to `contents` (ai.google.dev/api/caching#Content).

Takes messages that alternate and whose results are paired, and writes what Google wants beyond that: a user speaks
first, signatures stand on the calls that they came with, the first call of each step of the current turn has one, and
results are objects. Foreign thoughts stay behind; they are never shown as text. Raises Invalid for what the target
cannot take, with its place.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from proxy.dialects.chat import Invalid, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.calls import INPUT
from proxy.dialects.gemini.marks import SENTINEL
from proxy.dialects.gemini.media_out import build_media
from proxy.dialects.gemini.rules import Rules
from proxy.dialects.ids import is_synthetic
from proxy.dialects.json_text import decode_json, encode_json, parse_arguments
from proxy.dialects.names import NameMap
from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Json,
    Message,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_CONTINUE: Final = "Continue."
_BEFORE: Final = "(continue)"
_NOTHING: Final = "."


def build_contents(
    messages: Sequence[Message], rules: Rules, target: Target, names: NameMap, fitting: Fitting
) -> list[Json]:
    writer = _Writer(rules, names, fitting)
    turn = _find_turn(messages)
    contents: list[dict[str, Json]] = []
    for index, message in enumerate(messages):
        if message.role == "assistant":
            parts = writer.write_model(message.parts, in_turn=index > turn)
        else:
            parts = writer.write_user(message.parts)
        role = "model" if message.role == "assistant" else "user"
        if parts and contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    if not contents or contents[0]["role"] == "model":
        contents.insert(0, {"role": "user", "parts": [{"text": _BEFORE if contents else _NOTHING}]})
    if contents[-1]["role"] == "model" and not target.capabilities.prefill:
        contents.append({"role": "user", "parts": [{"text": _CONTINUE}]})
    return list(contents)


def _find_turn(messages: Sequence[Message]) -> int:
    """The user message that began the current turn: the last one without a tool's result."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.role != "assistant" and not any(isinstance(part, ToolResult) for part in message.parts):
            return index
    return -1


class _Writer:
    def __init__(self, rules: Rules, names: NameMap, fitting: Fitting) -> None:
        self._rules = rules
        self._names = names
        self._fitting = fitting

    def write_user(self, parts: Iterable[Part]) -> list[Json]:
        """Responses first, then the images in them that have no place there, then the rest."""
        responses: list[Json] = []
        loose: list[Json] = []
        others: list[Json] = []
        for part in parts:
            if isinstance(part, ToolResult):
                response, images = self._write_result(part)
                responses.append(response)
                loose += images
            else:
                others += self._write_plain(part)
        return responses + loose + others

    def write_model(self, parts: Iterable[Part], in_turn: bool) -> list[Json]:
        found: list[Json] = []
        pending: Signature | None = None
        first = True
        for part in parts:
            if isinstance(part, ToolCall):
                # Clients without a place for a call's signature keep it on the thought before it.
                mark = self._own(part.signature) or (None if self._rules.thoughts else pending)
                pending = None
                if mark is None and first and in_turn and self._rules.sentinel:
                    mark = Signature(self._rules.origin, SENTINEL)
                first = False
                found.append(self._write_call(part, mark))
                continue
            if pending is not None and not self._rules.thoughts:
                found.append({"text": "", "thoughtSignature": pending.value})
            pending = self._own(getattr(part, "signature", None))
            if self._rules.thoughts and pending is not None and isinstance(part, Thinking):
                found.append({"text": part.text, "thought": True, "thoughtSignature": pending.value})
            found += self._write_plain(part)
        if pending is not None and not self._rules.thoughts:
            found.append({"text": "", "thoughtSignature": pending.value})
        return found

    def _own(self, signature: Signature | None) -> Signature | None:
        return signature if signature is not None and signature.origin == self._rules.origin else None

    def _write_plain(self, part: Part) -> list[Json]:
        """What stands alike in both roles; nothing for thoughts, which `write_model` has seen to."""
        match part:
            case Text() | Refusal():
                return [{"text": part.text}]
            case Image() | File() | Audio():
                return [build_media(part, self._rules, self._fitting)]
            case Opaque(dialect="gemini") if self._rules.native:
                return [part.json]
            case Opaque():
                self._fitting.refuse_name(part.at or "messages", "only the provider that made this can read it")
            case ToolCall() | ToolResult():
                raise Invalid(part.at, "stands in a message of the wrong role")
            case Thinking() | Redacted():
                pass
        return []

    def _write_call(self, call: ToolCall, mark: Signature | None) -> Json:
        function: dict[str, Json] = {"name": self._names.there(call.name), "args": _read_arguments(call)}
        if self._has_id(call.id):
            function["id"] = call.id
        part: dict[str, Json] = {"functionCall": function}
        return part if mark is None else {**part, "thoughtSignature": mark.value}

    def _write_result(self, result: ToolResult) -> tuple[Json, list[Json]]:
        texts = [part.text for part in result.content if isinstance(part, Text)]
        images = [item for part in result.content if not isinstance(part, Text) for item in self._write_plain(part)]
        response = _build_response("\n".join(texts), self._rules.error_key if result.is_error else "output")
        function: dict[str, Json] = {"name": self._names.there(result.name), "response": response}
        if self._has_id(result.call_id):
            function["id"] = result.call_id
        if images and self._rules.nested:
            function["parts"] = images
            images = []
        return {"functionResponse": function}, images

    def _has_id(self, call_id: str) -> bool:
        """An id that we made is none of the provider's."""
        return self._rules.ids and bool(call_id) and not is_synthetic(call_id)


def _build_response(text: str, key: str) -> Json:
    """An object stays one; a failure says so under its key."""
    if key == "output" and text.lstrip().startswith("{"):
        try:
            value = decode_json(text)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return value
    return {key: text}


def _read_arguments(call: ToolCall) -> Json:
    """An object whatever the model wrote: a call that is left out would orphan its result."""
    if call.custom:
        return {INPUT: call.arguments}
    try:
        value = parse_arguments(call.arguments)
        if value is None:
            value = decode_json(encode_json(json.loads(call.arguments, strict=False)))
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"_raw": call.arguments}
