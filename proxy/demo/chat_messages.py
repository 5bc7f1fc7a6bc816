"""Reads the messages of a chat request of the OpenAI family, as strictly as the dialect's `Rules` say.

Takes the request's `Fields`, returns a `Talk`, raises `BadAsk`. The three dialects that share this shape (OpenAI, GLM,
OpenRouter) differ in data; what only one of them has stands in its own file.

Sources: platform.openai.com/docs/api-reference/chat/create and the API's own error texts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from proxy.demo.answer import BadAsk
from proxy.demo.media import Media, build_media, decode_base64, read_data_url, read_file_url
from proxy.demo.reading import Fields
from proxy.demo.talk import Talk

TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
AUDIO: Final = frozenset({"wav", "mp3"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a dialect takes. roles: of messages. null_content: an assistant message with calls needs no content.
    names: messages may have a `name`. empty: texts may be empty. extras: more fields of an assistant message.
    id_length: of a call's id. parts: more fields of a content part. check_extras: looks at an assistant's extras."""

    roles: frozenset[str]
    null_content: bool = True
    names: bool = True
    empty: bool = True
    extras: frozenset[str] = frozenset()
    id_length: int = 40
    parts: frozenset[str] = frozenset()
    check_extras: Callable[[Fields], None] = lambda message: None


@dataclass(slots=True)
class _State:
    """Calls that are still without their result, by id in order; a message that is no result must find it empty."""

    talk: Talk = field(default_factory=Talk)
    open_calls: list[str] = field(default_factory=list)
    known_calls: set[str] = field(default_factory=set)


def read_messages(body: Fields, rules: Rules) -> Talk:
    """All messages. Raises `BadAsk`."""
    state = _State()
    if not body.items("messages"):
        raise body.missing("messages") if body.raw("messages") is None else body.bad("messages", "should not be empty")
    for message in body.children("messages"):
        role = message.choice("role", rules.roles)
        if role is None:
            raise message.missing("role")
        if role != "tool":
            _check_answered(message, state)
        READERS[role](message, rules, state)
        if rules.names:
            message.skip("name")
        message.close()
    if state.open_calls:
        raise body.bad("messages", "an assistant message with 'tool_calls' must be followed by tool messages")
    return state.talk


def _check_answered(message: Fields, state: _State) -> None:
    if state.open_calls:
        raise message.bad("role", "tool messages responding to each 'tool_call_id' must come before it")


def _read_system(message: Fields, rules: Rules, state: _State) -> None:
    state.talk.add_system(_need_texts(message, rules))


def _read_user(message: Fields, rules: Rules, state: _State) -> None:
    texts, media = read_content(message, rules)
    if not texts and not media:
        raise message.missing("content")
    if not rules.empty and "" in texts:
        raise message.bad("content", "should not be empty")
    state.talk.add_user(texts, media)


def _read_assistant(message: Fields, rules: Rules, state: _State) -> None:
    calls = [_read_call(call, rules, state) for call in message.children("tool_calls")]
    if message.raw("tool_calls") is not None and not calls:
        raise message.bad("tool_calls", "should have at least 1 item")
    message.skip("refusal", "audio", "function_call", "annotations", *rules.extras)
    rules.check_extras(message)
    texts: list[str] = []
    if message.has("content"):
        texts, _ = read_content(message, rules, kinds=("text", "refusal"))
    elif not rules.null_content or not (calls or message.has("refusal") or message.has("audio")):
        raise message.bad("content", "should be a string or an array of parts, not null")
    state.talk.add_assistant(texts)
    state.open_calls += calls


def _read_call(call: Fields, rules: Rules, state: _State) -> str:
    name = call.need_text("id")
    if len(name) > rules.id_length:
        raise call.bad("id", f"string too long, maximum length is {rules.id_length}")
    if name in state.known_calls:
        raise call.bad("id", "should be unique")
    if call.choice("type", ("function", "custom")) == "custom":
        inner = call.need_child("custom")
        inner.match("name", TOOL_NAME)
        inner.text("input")
    else:
        inner = call.need_child("function")
        inner.match("name", TOOL_NAME)
        if inner.text("arguments") is None:
            raise inner.missing("arguments")
    inner.close()
    call.skip("index", "extra_content")
    call.close()
    state.known_calls.add(name)
    return name


def _read_result(message: Fields, rules: Rules, state: _State) -> None:
    name = message.need_text("tool_call_id")
    if name not in state.open_calls:
        raise message.bad("tool_call_id", "must be a response to a preceding message with 'tool_calls'")
    state.open_calls.remove(name)
    state.talk.add_result(_need_texts(message, rules))


def _read_function(message: Fields, rules: Rules, state: _State) -> None:
    message.need_text("name")
    state.talk.add_result(_need_texts(message, rules))


READERS: Final = {
    "developer": _read_system,
    "system": _read_system,
    "user": _read_user,
    "assistant": _read_assistant,
    "tool": _read_result,
    "function": _read_function,
}


def _need_texts(message: Fields, rules: Rules) -> list[str]:
    if not message.has("content"):
        raise message.missing("content")
    return read_content(message, rules, kinds=("text",))[0]


def read_content(
    message: Fields, rules: Rules, kinds: tuple[str, ...] = ("text", "image_url", "input_audio", "file")
) -> tuple[list[str], list[Media]]:
    """The texts and the media of a content field; only parts of these `kinds` may stand in it."""
    content = message.raw("content")
    if isinstance(content, str):
        return [content], []
    texts: list[str] = []
    media: list[Media] = []
    for part in message.children("content"):
        kind = part.choice("type", kinds)
        if kind is None:
            raise part.missing("type")
        if kind in ("text", "refusal"):
            if (text := part.text(kind)) is None:
                raise part.missing(kind)
            texts.append(text)
        else:
            media.append(_read_media(part, kind))
        part.skip(*rules.parts)
        part.close()
    return texts, media


def _read_media(part: Fields, kind: str) -> Media:
    inner = part.need_child(kind)
    try:
        if kind == "image_url":
            found = read_data_url(inner.need_text("url"))
            inner.choice("detail", ("auto", "low", "high", "original"))
        elif kind == "input_audio":
            sound = decode_base64(inner.need_text("data"))
            found = build_media(f"audio/{inner.choice('format', AUDIO)}", sound)
        else:
            inner.skip("filename", "file_id")
            found = read_file_url(inner.need_text("file_data")) if inner.has("file_data") else Media("file")
    except BadAsk:
        raise
    except ValueError as fault:
        raise inner.bad("", str(fault)) from None
    inner.close()
    return found
