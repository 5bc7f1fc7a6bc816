"""Reads requests of Anthropic's Messages API into a `Talk`, tools and limits, as strictly as the API does.

The rules on the order of messages and blocks are those of docs.anthropic.com (Messages, tool use, extended thinking)
and of the API's error texts: roles alternate, every `tool_use` is answered at once and first, text is not empty, a
thought comes back as it was signed. Pure; raises `BadAsk`.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.demo import signing
from proxy.demo.answer import BadAsk
from proxy.demo.media import Media, build_media, decode_base64, read_image
from proxy.demo.reading import Fields
from proxy.demo.talk import Talk

CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
BREAKPOINTS: Final = 4  # cache_control objects in one request
IN_USER: Final = ("text", "image", "document", "tool_result", "search_result", "container_upload")
IN_ASSISTANT: Final = ("text", "tool_use", "thinking", "redacted_thinking", "server_tool_use", "fallback", "compaction")
IN_RESULT: Final = ("text", "image", "document", "search_result")


@dataclass(slots=True)
class State:
    """What the messages read so far leave open. calls: of the last assistant message, not yet answered; known: all
    ids so far; unsigned_calls: the last assistant message calls tools without having thought first."""

    talk: Talk = field(default_factory=Talk)
    calls: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    unsigned_calls: bool = False
    uses_tools: bool = False
    breakpoints: int = 0
    last_role: str = ""
    last_text: str = ""


def read_messages(body: Fields) -> State:
    """System prompt and messages. Raises `BadAsk`."""
    state = State()
    _read_system(body, "system", state)
    if not body.items("messages"):
        raise body.missing("messages") if body.raw("messages") is None else body.bad("messages", "should have an item")
    for message in body.children("messages"):
        role = message.choice("role", ("user", "assistant", "system") if state.last_role else ("user", "assistant"))
        if role is None:
            raise message.missing("role")
        if role == "system":
            _read_instruction(message, state)
            continue
        if role == state.last_role:
            raise BadAsk('messages: roles must alternate between "user" and "assistant"')
        if role == "assistant" and not state.last_role:
            raise BadAsk('messages: first message must use the "user" role')
        _read_user(message, state) if role == "user" else _read_assistant(message, state)
        message.close()
        state.last_role = role
    if state.calls:
        raise BadAsk("messages: `tool_use` ids were found without `tool_result` blocks immediately after")
    if state.last_role == "assistant" and state.last_text != state.last_text.rstrip():
        raise BadAsk("messages: final assistant content cannot end with trailing whitespace")
    return state


def _read_instruction(message: Fields, state: State) -> None:
    """A system message in the middle: it is nobody's turn, and it does not come between a call and its result."""
    if state.calls:
        raise BadAsk(f"{message.at}: `tool_use` ids were found without `tool_result` blocks immediately after")
    if not message.has("content"):
        raise message.missing("content")
    _read_system(message, "content", state)
    message.close()


def _read_system(fields: Fields, name: str, state: State) -> None:
    if isinstance(text := fields.raw(name), str):
        state.talk.add_system([text])
        return
    for block in fields.children(name):
        block.choice("type", ("text",))
        state.talk.add_system([_read_text(block)])
        _close(block, state)


def _read_blocks(message: Fields, name: str, kinds: tuple[str, ...]) -> "list[tuple[str, Fields]]":
    """The blocks of a content field with their types; a string is one block of text."""
    content = message.raw(name)
    if content is None:
        raise message.missing(name)
    if isinstance(content, str):
        content = Fields({"type": "text", "text": content}, message.place(name), message.style)
        return [("text", content)]
    blocks = []
    for block in message.children(name):
        kind = block.choice("type", kinds)
        if kind is None:
            raise block.missing("type")
        blocks.append((kind, block))
    return blocks


def _read_user(message: Fields, state: State) -> None:
    blocks = _read_blocks(message, "content", IN_USER)
    if not blocks:
        raise BadAsk(f"{message.at}: user messages must have non-empty content")
    texts: list[str] = []
    media: list[Media] = []
    others = False
    for kind, block in blocks:
        if kind == "tool_result":
            if others:
                raise BadAsk(f"{block.at}: `tool_result` blocks must come before other content")
            _read_result(block, state)
        else:
            others = True
            _read_shown(kind, block, texts, media)
        _close(block, state)
    if state.calls:
        raise BadAsk(f"{message.at}: `tool_use` ids were found without `tool_result` blocks immediately after")
    state.talk.add_user(texts, media)


def _read_result(block: Fields, state: State) -> None:
    name = block.need_text("tool_use_id")
    if name not in state.calls:
        raise BadAsk(f"{block.at}: unexpected `tool_use_id` found in `tool_result` blocks")
    state.calls.remove(name)
    state.uses_tools = True
    block.flag("is_error")
    texts: list[str] = []
    media: list[Media] = []
    if isinstance(text := block.raw("content"), str):  # may be empty, unlike a block of text
        texts.append(text)
    elif block.has("content"):
        for kind, part in _read_blocks(block, "content", IN_RESULT):
            _read_shown(kind, part, texts, media)
            _close(part, state)
    state.talk.add_result(texts, media)


def _read_assistant(message: Fields, state: State) -> None:
    texts: list[str] = []
    first = ""
    state.unsigned_calls = False
    for kind, block in _read_blocks(message, "content", IN_ASSISTANT):
        first = first or kind
        if kind == "text":
            texts.append(_read_text(block))
        elif kind == "tool_use":
            _read_call(block, state)
            state.unsigned_calls = "thinking" not in first
        elif kind == "thinking":
            _check_thinking(block)
        elif kind == "redacted_thinking":
            if not signing.is_issued(block.need_text("data"), signing.ANTHROPIC):
                raise block.bad("data", "Invalid `data` in `redacted_thinking` block")
        else:
            block.skip(*block.value)
        _close(block, state)
    if not first:
        raise BadAsk(f"{message.at}: all messages must have non-empty content")
    state.last_text = texts[-1] if texts else ""
    state.talk.add_assistant(texts)


def _read_call(block: Fields, state: State) -> None:
    name = block.match("id", CALL_ID)
    if name in state.known:
        raise BadAsk(f"{block.at}: `tool_use` ids must be unique")
    state.known.add(name)
    state.calls.append(name)
    state.uses_tools = True
    block.match("name", TOOL_NAME)
    if block.object("input") is None:
        raise block.missing("input")
    block.skip("caller")


def _check_thinking(block: Fields) -> None:
    text, signature = block.text("thinking"), block.text("signature")
    if text is None:
        raise block.missing("thinking")
    if signature is None:
        raise block.missing("signature")
    if not signing.is_signed(signature, signing.ANTHROPIC, text):
        raise BadAsk(f"{block.at}: Invalid `signature` in `thinking` block")


def _read_text(block: Fields) -> str:
    text = block.text("text")
    if text is None:
        raise block.missing("text")
    if not text.strip():
        raise BadAsk("messages: text content blocks must be non-empty")
    block.skip("citations")
    return text


def _read_shown(kind: str, block: Fields, texts: list[str], media: list[Media]) -> None:
    if kind == "text":
        texts.append(_read_text(block))
    elif kind in ("image", "document"):
        block.skip("title", "context", "citations")
        media.append(_read_source(block.need_child("source"), kind))
    else:
        block.skip(*block.value)


def _read_source(source: Fields, kind: str) -> Media:
    form = source.choice("type", ("base64", "url", "file", "text", "content"))
    if form is None:
        raise source.missing("type")
    if form == "base64":
        mime = source.need_text("media_type")
        try:
            data = decode_base64(source.need_text("data"))
            found = read_image(mime, data) if kind == "image" else build_media(mime, data)
        except BadAsk:
            raise
        except ValueError as fault:
            raise source.bad("data", str(fault)) from None
        if kind == "document" and mime != "application/pdf":
            raise source.bad("media_type", "should be 'application/pdf'")
    elif form == "text":
        found = build_media(source.need_text("media_type"), source.need_text("data").encode())
    else:
        source.skip("content")
        if form != "content":
            source.need_text("url" if form == "url" else "file_id")
        found = Media(kind)
    source.close()
    return found


def _close(block: Fields, state: State) -> None:
    block.skip("type")
    if control := block.child("cache_control"):
        read_cache_control(control)
        state.breakpoints += 1
    block.close()


def read_cache_control(control: Fields) -> None:
    """A breakpoint of the prompt cache."""
    control.choice("type", ("ephemeral",))
    control.choice("ttl", ("5m", "1h"))
    control.skip("scope")
    control.close()


def count_breakpoints(state: State, tools: Any) -> None:
    """At most four breakpoints in messages, system prompt and tools together."""
    held = sum(1 for tool in tools or [] if isinstance(tool, dict) and tool.get("cache_control"))
    if state.breakpoints + held > BREAKPOINTS:
        raise BadAsk(f"A maximum of {BREAKPOINTS} blocks with cache_control may be provided.")
