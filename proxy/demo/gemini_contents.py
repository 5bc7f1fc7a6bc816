"""Reads the contents of a Gemini request into a `Talk`, as strictly as the API does. Pure; raises `BadAsk`.

Google decodes requests by a fixed message type: a field it does not know is an error wherever it stands
(ai.google.dev/api/caching#Content). Beyond that: responses come right after their calls and equal them in number, a
part has exactly one kind of data, and the calls of a Gemini 3 turn bring their signatures back
(ai.google.dev/gemini-api/docs/thought-signatures). What differs by family is in `Family`.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.demo import signing
from proxy.demo.answer import BadAsk
from proxy.demo.media import Media, build_media, decode_base64
from proxy.demo.reading import Fields
from proxy.demo.talk import Talk

DATA: Final = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip
TOOL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
UNEQUAL: Final = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
MISPLACED: Final = "Please ensure that function response turn comes immediately after a function call turn."
UNSIGNED: Final = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly."
)


@dataclass(frozen=True, slots=True)
class Family:
    """How a family of models treats signatures. signed: the first call of each step must have one; issuer: who gave
    them, "" for a family without any; sentinel: takes the one that skips the check; wrapped: they are in base64 once
    more."""

    issuer: str = signing.GOOGLE
    signed: bool = False
    sentinel: bool = True
    wrapped: bool = False


@dataclass(slots=True)
class State:
    """calls: names of the last model turn's calls, not yet answered. unsigned: the place of a call of the current
    turn that should have a signature. thought: the text of the thoughts that wait for theirs."""

    family: Family
    talk: Talk = field(default_factory=Talk)
    calls: list[str] = field(default_factory=list)
    unsigned: str = ""
    thought: str = ""


def read_contents(body: Fields, family: Family) -> Talk:
    """System instruction and contents. Raises `BadAsk`."""
    state = State(family)
    if instruction := body.child("systemInstruction"):
        instruction.text("role")
        state.talk.add_system([_need_text(part) for part in instruction.children("parts")])
        instruction.close()
    if not body.items("contents"):
        raise BadAsk("* GenerateContentRequest.contents: contents is not specified")
    role = ""
    for index, content in enumerate(body.children("contents")):
        role = content.choice("role", ("user", "model")) or "user"
        if index == 0 and role == "model":
            raise BadAsk("Please ensure that the first content has the role 'user'.")
        if not content.items("parts"):
            raise BadAsk(f"* GenerateContentRequest.{content.at}.parts: contents.parts must not be empty.")
        _read_model(content, state) if role == "model" else _read_user(content, state)
        content.close()
    if state.calls:
        raise BadAsk(UNEQUAL)
    if state.unsigned and family.signed:
        raise BadAsk(UNSIGNED)
    return state.talk


def _need_text(part: Fields) -> str:
    text = part.text("text")
    if text is None:
        raise part.missing("text")
    part.close()
    return text


def _read_user(content: Fields, state: State) -> None:
    texts: list[str] = []
    media: list[Media] = []
    responses = 0
    open_calls, state.calls = state.calls, []
    for part in content.children("parts"):
        kind = _kind_of(part)
        if kind == "functionResponse":
            responses += 1
            _read_response(part.need_child(kind), open_calls, state)
        elif kind == "text":
            texts.append(part.text("text") or "")
        elif kind in ("inlineData", "fileData"):
            media.append(_read_media(part.need_child(kind), kind))
        else:
            raise part.bad(kind, "is not for the role 'user'")
        part.close()
    if open_calls:
        raise BadAsk(UNEQUAL)
    if not responses and any(texts):
        state.unsigned = ""  # a new turn: signatures of earlier ones are not looked for
    state.talk.add_user(texts, media)


def _read_response(response: Fields, open_calls: list[str], state: State) -> None:
    name = response.need_text("name")
    if not open_calls:
        raise BadAsk(MISPLACED)
    if name not in open_calls:
        raise response.bad("name", "should be the name of a function call before it")
    open_calls.remove(name)
    value = response.object("response")
    if value is None:
        raise response.missing("response")
    response.skip("id", "willContinue", "scheduling")
    media = [_read_media(part.need_child("inlineData"), "inlineData") for part in response.children("parts")]
    response.close()
    state.talk.add_result([str(item) for item in value.values()], media)


def _read_model(content: Fields, state: State) -> None:
    """Contents of the model in a row are one turn: Google's SDKs keep a streamed one as the chunks came."""
    texts: list[str] = []
    first = not state.calls
    for part in content.children("parts"):
        kind = _kind_of(part)
        thought = part.flag("thought") is True
        signature = part.text("thoughtSignature")
        if kind == "functionCall":
            _read_call(part, signature, state, first=first)
            first = False
        elif kind == "text":
            text = part.text("text") or ""
            _check_text(part, text, signature, state, thought=thought)
            texts += [] if thought else [text]
        else:
            part.skip(kind)
        part.close()
    if state.thought and state.family.wrapped:
        raise BadAsk(f"{content.at}: Invalid `signature` in `thinking` block")
    state.talk.add_assistant(texts)


def _read_call(part: Fields, signature: str | None, state: State, *, first: bool) -> None:
    call = part.need_child("functionCall")
    name = call.match("name", TOOL_NAME)
    arguments = call.object("args") or {}
    call.skip("id")
    call.close()
    state.calls.append(name)
    family = state.family
    if signature is None:
        state.unsigned = state.unsigned or (part.at if first else "")
    elif signature == signing.SENTINEL:
        if not family.sentinel:
            raise part.bad("thoughtSignature", "Corrupted thought signature.")
    elif not _is_of_call(signature, family, name, arguments):
        raise part.bad("thoughtSignature", "Corrupted thought signature.")


def _is_of_call(signature: str, family: Family, name: str, arguments: Any) -> bool:
    """Google's signature is tied to its call; what Claude's host lets stand on one is only of the right issuer."""
    if family.issuer != signing.GOOGLE:
        return bool(family.issuer) and signing.is_issued(_inner(signature, family), family.issuer)
    plain = signature.replace("-", "+").replace("_", "/").rstrip("=")
    return plain == signing.sign(signing.GOOGLE, signing.call_text(name, arguments)).rstrip("=")


def _check_text(part: Fields, text: str, signature: str | None, state: State, *, thought: bool) -> None:
    """A signature on a text; of a wrapping family it must be that of the thoughts before it."""
    family = state.family
    if thought and family.wrapped:
        state.thought += text
    if signature is None or signature == signing.SENTINEL:
        return
    inner = _inner(signature, family)
    fits = signing.is_signed(inner, family.issuer, state.thought) if family.wrapped else True
    if not family.issuer or not signing.is_issued(inner, family.issuer) or not fits:
        raise part.bad("thoughtSignature", "Corrupted thought signature.")
    state.thought = ""


def _inner(signature: str, family: Family) -> str:
    return signing.unwrap(signature) if family.wrapped else signature


def _kind_of(part: Fields) -> str:
    """The one kind of data of a part; an empty text counts when nothing else is there."""
    part.skip("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata")
    kinds = [name for name in DATA if part.has(name)]
    if len(kinds) != 1:
        raise BadAsk(f"* GenerateContentRequest.{part.at}.data: required oneof field 'data' must have one initialized "
                     "field")  # fmt: skip
    return kinds[0]


def _read_media(inner: Fields, kind: str) -> Media:
    inner.skip("displayName")
    if kind == "fileData":
        inner.need_text("fileUri")
        found = Media(inner.text("mimeType") or "file")
    else:
        mime = inner.need_text("mimeType")
        try:
            found = build_media(mime, decode_base64(inner.need_text("data"), urlsafe=True))
        except BadAsk:
            raise
        except ValueError:
            raise inner.bad("data", "Base64 decoding failed") from None
    inner.close()
    return found
