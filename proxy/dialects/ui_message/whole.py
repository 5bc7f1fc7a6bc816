"""A whole answer as one JSON document: the `UIMessage` that a page would have gathered from the stream.

The AI SDK has no form for answers that are not streamed, and its transport never asks for one; this is what a caller
gets who does, and it can be put into `messages` of the next request as it is.
"""

from proxy.dialects.answer import Answer, LoneSignature
from proxy.dialects.chat import Turn
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.parts import Image, Json, Part, Redacted, Refusal, Signature, Text, Thinking, ToolCall
from proxy.dialects.ui_message import notes
from proxy.dialects.ui_message.encode import build_metadata, make_message_id
from proxy.dialects.ui_message.inputs import BROKEN, encode_input
from proxy.dialects.ui_message.reasons import FINISH_REASONS


def build_answer(answer: Answer, turn: Turn) -> bytes:
    """`{id, role, metadata, parts}`, and `finishReason` beside them."""
    parts = [built for part in answer.parts if (built := _build_part(part)) is not None]
    return encode_json(
        {
            "id": make_message_id(turn),
            "role": "assistant",
            "metadata": build_metadata(answer.start.model, answer.usage),
            "parts": [{"type": "step-start"}, *parts],
            "finishReason": FINISH_REASONS[answer.finish.reason],
        }
    )


def _build_part(part: Part) -> Json:
    match part:
        case Text():
            return _say("text", part.text)
        case Refusal():
            return _say("text", part.text) | {"providerMetadata": notes.build_note(notes.REFUSAL, True)}
        case Thinking():
            return _say("reasoning", part.text) | _note("providerMetadata", notes.SIGNATURE, part.signature)
        case Redacted():
            return _say("reasoning", "") | _note("providerMetadata", notes.REDACTED, part.signature)
        case LoneSignature():
            return _say("reasoning", "") | _note("providerMetadata", notes.SIGNATURE, part.signature)
        case Image():
            return {
                "type": "file",
                "mediaType": part.media.mime,
                "url": f"data:{part.media.mime};base64,{part.media.data}",
            }
        case ToolCall():
            return _build_call(part)
        case _:
            return None


def _say(kind: str, text: str) -> dict[str, Json]:
    return {"type": kind, "text": text, "state": "done"}


def _note(place: str, member: str, signature: Signature | None) -> dict[str, Json]:
    return {} if signature is None else {place: notes.build_signature(member, signature)}


def _build_call(call: ToolCall) -> dict[str, Json]:
    named: dict[str, Json] = {"type": f"tool-{call.name}", "toolCallId": call.id}
    named |= _note("callProviderMetadata", notes.SIGNATURE, call.signature)
    if call.custom:
        return named | {"state": "input-available", "input": call.arguments}
    given = encode_input(call.arguments)
    if given is None:
        return named | {"state": "output-error", "rawInput": call.arguments, "errorText": BROKEN}
    return named | {"state": "input-available", "input": decode_json(given)}
