"""The messages of a request for a provider of the OpenAI family, from the hub's.

The system prompt comes first; each tool result is a message of its own, directly behind its calls; images in a result,
which the family takes in user messages only, follow in the next one, with a note. Thoughts go back as text where the
server wants them, and are never shown as anything else. What has no place in a message is refused by its own.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from proxy.dialects.chat import Invalid
from proxy.dialects.ids import fit_call_id, make_id
from proxy.dialects.json_text import encode_json, parse_arguments
from proxy.dialects.media import fit_image
from proxy.dialects.normalise import normalise
from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Json,
    Message,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.request_out import RequestWriter

Built = dict[str, Json]

_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_LONGEST_ID: Final = 40  # OpenAI's own limit: "string too long. Expected a string with maximum length 40"
_ERROR: Final = "Error: "


def build_messages(writer: "RequestWriter") -> list[Built]:
    """All messages, the system prompt with the writer's hints first."""
    quirk = writer.quirk
    messages = normalise(
        writer.request, alternate=quirk.alternate, results_in_user=True, mid_system=quirk.mid_system
    )  # fmt: skip
    built = list(_build_system(writer))
    last = _find_last_question(messages)
    for index, message in enumerate(messages):
        if message.role == "assistant":
            built.append(_build_assistant(writer, message, current=index > last))
        elif message.role == "system":
            built.append({"role": "system", "content": _build_content(writer, message.parts)})
        else:
            built += _build_user(writer, message)
    return built


def build_thoughts(writer: "RequestWriter", message: Message, *, current: bool) -> Built:
    """An assistant's thoughts as text, where the server wants them back."""
    called = any(isinstance(part, ToolCall) for part in message.parts)
    wanted = {"never": False, "tools": called, "turn": current, "always": True}[writer.quirk.replay]
    text = "".join(part.text for part in message.parts if isinstance(part, Thinking))
    return {writer.quirk.reasoning_field: text} if wanted and text else {}


def fit_tool_id(call_id: str, form: str) -> str:
    """The id of a call in the form that a server takes; the same for the call and its result."""
    if form == "nine":
        if len(call_id) == 9 and call_id.isascii() and call_id.isalnum():
            return call_id
        return hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:9]
    if form == "short" and len(call_id) > _LONGEST_ID:
        return make_id("call_", call_id)
    return fit_call_id(call_id)


def _find_last_question(messages: Sequence[Message]) -> int:
    """The last message with something of the user's own; -1 when there is none."""
    found = -1
    for index, message in enumerate(messages):
        if message.role == "user" and not all(isinstance(part, ToolResult) for part in message.parts):
            found = index
    return found


def _build_system(writer: "RequestWriter") -> Iterator[Built]:
    texts: list[Part] = [text for text in writer.request.system if text.text]
    texts += [Text(hint) for hint in writer.hints]
    if texts:
        yield {"role": "system", "content": _build_content(writer, texts)}


def _build_user(writer: "RequestWriter", message: Message) -> Iterator[Built]:
    rest: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield _build_result(writer, part, rest)
        else:
            rest.append(part)
    if rest:
        yield {"role": "user", "content": _build_content(writer, rest), **writer.find_name(message)}


def _build_result(writer: "RequestWriter", result: ToolResult, rest: list[Part]) -> Built:
    """A tool message; what it cannot hold is added to `rest`."""
    text = "\n".join(part.text for part in result.content if isinstance(part, Text))
    call_id = fit_tool_id(result.call_id, writer.quirk.tool_ids)
    others = [part for part in result.content if not isinstance(part, Text)]
    if others:
        rest += (Text(f"Content of the result of tool call {call_id}:"), *others)
        text = text or "(see the next message)"
    if result.is_error and not text.startswith(_ERROR):
        text = _ERROR + text
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def _build_assistant(writer: "RequestWriter", message: Message, *, current: bool) -> Built:
    built: Built = {"role": "assistant", "content": None, **writer.find_name(message)}
    texts: list[str] = []
    calls: list[Built] = []
    for part in message.parts:
        match part:
            case Text():
                texts.append(part.text)
            case ToolCall():
                calls.append(_build_call(writer, part))
            case Refusal() if writer.quirk.refusals:
                built["refusal"] = built.get("refusal", "") + part.text
            case Refusal():
                texts.append(part.text)
            case Opaque():
                _add_opaque(writer, built, part)
            case Image() | File() | Audio():
                raise Invalid(part.at, "the model that answers takes no such part in its own messages")
            case _:
                pass  # thoughts, by the writer
    if texts:
        built["content"] = "".join(texts)
    elif not (writer.quirk.null_content and (calls or "refusal" in built or "audio" in built)):
        built["content"] = ""
    built.update(writer.build_thoughts(message, current=current))
    if calls:
        built["tool_calls"] = calls
    return built


def _add_opaque(writer: "RequestWriter", built: Built, part: Opaque) -> None:
    """A block of the same dialect as it was, of another one only with its name: nobody can read it."""
    if part.dialect == writer.flavour.name and isinstance(part.json, dict) and "type" not in part.json:
        built.update(part.json)
    else:
        writer.fitting.drop_name(part.at)


def _build_call(writer: "RequestWriter", call: ToolCall) -> Built:
    name = writer.names.there(call.name)
    built: Built = {"id": fit_tool_id(call.id, writer.quirk.tool_ids)}
    if call.custom and writer.quirk.custom_tools:
        return {**built, "type": "custom", "custom": {"name": name, "input": call.arguments}}
    arguments = call.arguments
    if call.custom:
        arguments = encode_json({"input": arguments}).decode()
    elif not arguments.strip():
        arguments = "{}"
    elif parse_arguments(arguments) is None:
        arguments = encode_json({"_raw": arguments}).decode()  # an answer that was cut; templates read the object
    built |= {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {**built, **writer.build_call_extras(call)}


def _build_content(writer: "RequestWriter", parts: Sequence[Part]) -> Json:
    """A string where there are texts only, unless they are to stay parts."""
    texts = [part for part in parts if isinstance(part, Text)]
    marked = writer.quirk.cache and any(part.cache is not None for part in parts)
    if len(texts) == len(parts) and not marked and (len(texts) == 1 or not writer.quirk.text_parts):
        return "\n\n".join(part.text for part in texts)
    return [_build_part(writer, part) for part in parts]


def _build_part(writer: "RequestWriter", part: Part) -> Json:
    match part:
        case Text():
            built: Built = {"type": "text", "text": part.text}
        case Image():
            built = _build_image(writer, part)
        case Audio() if writer.quirk.audio:
            built = {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case File():
            built = _build_file(writer, part)
        case Opaque() if part.dialect == writer.flavour.name:
            return part.json
        case _:
            raise Invalid(part.at, "the model that answers takes no part of this type")
    if part.cache is not None and writer.quirk.cache:
        built["cache_control"] = dict(part.cache)
    return built


def _build_image(writer: "RequestWriter", image: Image) -> Built:
    if not writer.target.capabilities.images:
        raise Invalid(image.at, "the model that answers takes no images")
    media = fit_image(image, _IMAGES).media
    if not media.data and (not media.url or not writer.quirk.images_by_url):
        raise Invalid(image.at, "the model that answers takes images by value only")
    url: Built = {"url": f"data:{media.mime};base64,{media.data}" if media.data else media.url}
    if image.detail:
        url["detail"] = image.detail
    return {"type": "image_url", "image_url": url}


def _build_file(writer: "RequestWriter", file: File) -> Built:
    media = file.media
    if media.mime.startswith("image/"):
        return _build_image(writer, Image(media, at=file.at, cache=file.cache))
    if media.data and media.mime.startswith("text/"):
        text = base64.b64decode(media.data).decode("utf-8", "replace")
        return {"type": "text", "text": f"{file.name}:\n{text}" if file.name else text}
    if media.file_id and writer.request.dialect == writer.flavour.name:
        return {"type": "file", "file": {"file_id": media.file_id}}
    if not media.data or not writer.quirk.files:
        raise Invalid(file.at, "the model that answers takes no file in this form")
    name = file.name or "file." + (media.mime.rpartition("/")[2] or "bin")
    return {"type": "file", "file": {"filename": name, "file_data": f"data:{media.mime};base64,{media.data}"}}
