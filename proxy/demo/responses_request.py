"""Reads requests of OpenAI's Responses API into an `Ask`, as strictly as the API does. Pure; raises `BadAsk`.

Items instead of messages (platform.openai.com/docs/api-reference/responses/create): every call must have its output and
every output its call, a reasoning item must be followed by what it was thought for, and its `encrypted_content` must be
the one that was issued last, not the preliminary one. The demo stores nothing, so nothing may be referred to.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.demo import signing
from proxy.demo.answer import BadAsk
from proxy.demo.chat_messages import TOOL_NAME
from proxy.demo.chat_options import EFFORTS, choose_tools, read_named_schema, read_parameters
from proxy.demo.media import Media, read_data_url, read_file_url
from proxy.demo.reading import Fields
from proxy.demo.script import Tool
from proxy.demo.talk import Talk

MAX_CALL_ID: Final = 64
NO_SAMPLING: Final = re.compile(r"(o[1-9]|gpt-5).*")
INCLUDES: Final = (
    "reasoning.encrypted_content", "message.output_text.logprobs", "message.input_image.image_url",
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "code_interpreter_call.outputs", "computer_call_output.output.image_url",
)  # fmt: skip
ROLES: Final = frozenset({"user", "system", "developer", "assistant"})
SERVER_TOOLS: Final = frozenset({
    "web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp", "local_shell",
    "shell", "computer", "computer_use_preview", "apply_patch", "tool_search", "namespace",
})  # fmt: skip
NOT_LOOKED_AT: Final = (
    "store", "user", "safety_identifier", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options", "truncation", "max_tool_calls", "moderation", "context_management", "client_metadata",
    "access_programs",
)  # fmt: skip


@dataclass(slots=True)
class Items:
    """The input as it is read. calls: without their output yet. pending: a reasoning item that waits for what it was
    thought for, by its path."""

    talk: Talk = field(default_factory=Talk)
    calls: list[str] = field(default_factory=list)
    pending: str = ""


def read_input(body: Fields) -> Talk:
    """Instructions and input. Raises `BadAsk`."""
    state = Items()
    if instructions := body.text("instructions"):
        state.talk.add_system([instructions])
    given = body.raw("input")
    if given is None:
        raise body.missing("input")
    if isinstance(given, str):
        state.talk.add_user([given])
        return state.talk
    for item in body.children("input"):
        kind = item.text("type") or "message"
        if state.pending and kind not in ("message", "function_call", "custom_tool_call", "reasoning"):
            raise _unfollowed(state)
        if kind not in READERS:
            raise item.bad("type", "is not supported here")
        READERS[kind](item, state)
        item.close()
    if state.pending:
        raise _unfollowed(state)
    if state.calls:
        raise body.bad("input", "No tool output found for a function call")
    return state.talk


def _unfollowed(state: Items) -> BadAsk:
    return BadAsk(f"Item '{state.pending}' of type 'reasoning' was provided without its required following item.")


def _check_id(item: Fields, prefix: str) -> None:
    name = item.text("id")
    if name is not None and not name.startswith(prefix):
        raise item.bad("id", f"Expected an ID that begins with '{prefix}'")


def _read_message(item: Fields, state: Items) -> None:
    role = item.choice("role", ROLES)
    if role is None:
        raise item.missing("role")
    if state.pending and role != "assistant":
        raise _unfollowed(state)
    state.pending = ""
    _check_id(item, "msg")
    item.skip("status", "phase")
    if not item.has("content"):
        raise item.missing("content")
    if role == "assistant":
        state.talk.add_assistant(_read_parts(item, "content", ("output_text", "refusal"))[0])
    elif role == "user":
        state.talk.add_user(*_read_parts(item, "content", ("input_text", "input_image", "input_file")))
    else:
        state.talk.add_system(_read_parts(item, "content", ("input_text",))[0])


def _read_call(item: Fields, state: Items) -> None:
    state.pending = ""
    name = _read_call_id(item)
    _check_id(item, "fc" if item.raw("type") == "function_call" else "ctc")
    item.match("name", TOOL_NAME)
    argument = "arguments" if item.raw("type") == "function_call" else "input"
    if item.text(argument) is None:
        raise item.missing(argument)
    item.skip("status", "namespace")
    state.talk.add_assistant([])
    state.calls.append(name)


def _read_call_id(item: Fields) -> str:
    name = item.need_text("call_id")
    if len(name) > MAX_CALL_ID:
        raise item.bad("call_id", f"string too long, maximum length is {MAX_CALL_ID}")
    return name


def _read_output(item: Fields, state: Items) -> None:
    name = _read_call_id(item)
    if name not in state.calls:
        raise item.bad("call_id", "No tool call found for function call output")
    state.calls.remove(name)
    item.skip("id", "status")
    if item.raw("output") is None:
        raise item.missing("output")
    state.talk.add_result(*_read_parts(item, "output", ("input_text", "input_image", "input_file")))


def _read_reasoning(item: Fields, state: Items) -> None:
    _check_id(item, "rs")
    if not item.has("id"):
        raise item.missing("id")
    if item.items("summary") is None:
        raise item.missing("summary")
    for part in item.children("summary"):
        part.choice("type", ("summary_text",))
        part.text("text")
        part.close()
    item.skip("content", "status")
    content = item.text("encrypted_content")
    if content is None:
        raise BadAsk("Item not found. Items are not persisted when `store` is set to false.", 404)
    if not signing.is_issued(content, signing.OPENAI):
        raise item.bad("encrypted_content", "could not be verified")
    state.pending = item.at


READERS: Final[dict[str, Callable[[Fields, Items], None]]] = {
    "message": _read_message,
    "function_call": _read_call,
    "custom_tool_call": _read_call,
    "function_call_output": _read_output,
    "custom_tool_call_output": _read_output,
    "reasoning": _read_reasoning,
}


def _read_parts(item: Fields, name: str, kinds: tuple[str, ...]) -> tuple[list[str], list[Media]]:
    if isinstance(value := item.raw(name), str):
        return [value], []
    texts: list[str] = []
    media: list[Media] = []
    for part in item.children(name):
        kind = part.choice("type", kinds)
        if kind is None:
            raise part.missing("type")
        if kind in ("input_text", "output_text", "refusal"):
            field_name = "refusal" if kind == "refusal" else "text"
            if (text := part.text(field_name)) is None:
                raise part.missing(field_name)
            texts.append(text)
            part.skip("annotations", "logprobs")
        else:
            media.append(_read_media(part, kind))
        part.close()
    return texts, media


def _read_media(part: Fields, kind: str) -> Media:
    part.skip("file_id", "detail", "filename", "file_url")
    try:
        if kind == "input_image":
            return read_data_url(part.need_text("image_url")) if not part.has("file_id") else Media("image")
        return read_file_url(part.need_text("file_data")) if part.has("file_data") else Media("file")
    except BadAsk:
        raise
    except ValueError as fault:
        raise part.bad("image_url" if kind == "input_image" else "file_data", str(fault)) from None


def read_tools(body: Fields) -> tuple[Tool, ...]:
    """The declared functions; tools of the server's own are known and not played."""
    tools = []
    for entry in body.children("tools"):
        kind = entry.choice("type", SERVER_TOOLS | {"function", "custom"})
        if kind is None:
            raise entry.missing("type")
        if kind in SERVER_TOOLS:
            continue
        name = entry.match("name", TOOL_NAME)
        entry.text("description")
        if kind == "custom":
            entry.skip("format")
            tools.append(Tool(name, {"properties": {"input": {"type": "string"}}}))
        else:
            tools.append(Tool(name, read_parameters(entry, strict=entry.flag("strict") is True) or {}))
        entry.skip("defer_loading")
        entry.close()
    return tuple(tools)


def read_choice(body: Fields, tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], str]:
    """The tools that may be called, and `none`, `auto` or `required`."""
    choice = body.raw("tool_choice")
    if choice is None or isinstance(choice, str):
        mode = body.choice("tool_choice", ("none", "auto", "required")) or "auto"
        if mode == "required" and not tools:
            raise body.bad("tool_choice", "must be specified with 'tools' parameter")
        return tools, mode
    inner = body.need_child("tool_choice")
    if inner.choice("type", SERVER_TOOLS | {"function", "custom", "allowed_tools"}) != "allowed_tools":
        return choose_tools(body, tools, [inner.need_text("name")]), "required"
    allowed = [entry.need_text("name") for entry in inner.children("tools") if entry.raw("type") == "function"]
    return choose_tools(body, tools, allowed), inner.choice("mode", ("auto", "required")) or "auto"


def read_format(body: Fields, talk: Talk) -> dict[str, Any] | None:
    """The schema of a JSON answer, {} for any object, None for text."""
    text = body.child("text")
    if text is None:
        return None
    text.choice("verbosity", ("low", "medium", "high"))
    wanted = text.child("format")
    text.close()
    if wanted is None:
        return None
    kind = wanted.choice("type", ("text", "json_object", "json_schema"))
    if kind is None:
        raise wanted.missing("type")
    if kind == "json_object" and not talk.says_json():
        raise body.bad("input", "must contain the word 'json' in some form to use 'text.format'")
    schema = read_named_schema(wanted) if kind == "json_schema" else {} if kind == "json_object" else None
    wanted.close()
    return schema


def read_reasoning(body: Fields) -> tuple[bool | None, bool]:
    """Whether reasoning is asked for, None when that is left open, and whether a summary of it is to be shown."""
    wanted = body.child("reasoning")
    if wanted is None:
        return None, True
    effort = wanted.choice("effort", EFFORTS)
    summary = wanted.choice("summary", ("auto", "concise", "detailed"))
    wanted.skip("generate_summary", "context", "mode")
    wanted.close()
    return (None if effort is None else effort != "none"), summary is not None


def read_rest(body: Fields, model: str) -> None:
    """What is checked and changes nothing, then what is unknown."""
    for name in ("temperature", "top_p"):
        if body.number(name, 0, 2) is not None and NO_SAMPLING.fullmatch(model):
            raise BadAsk(f"Unsupported parameter: '{name}' is not supported with this model.")
    for name in ("previous_response_id", "conversation", "prompt", "background"):
        if body.raw(name):
            raise body.bad(name, "was not found")
    if options := body.child("stream_options"):
        if body.flag("stream") is not True:
            raise body.bad("stream_options", "is only allowed when 'stream' is enabled")
        options.flag("include_obfuscation")
        options.close()
    body.whole("top_logprobs", 0, 20)
    body.skip(*NOT_LOOKED_AT)
    body.close()
