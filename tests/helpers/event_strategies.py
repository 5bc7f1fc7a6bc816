"""Answers of any kind, as hypothesis strategies over the hub's events, and what of them every dialect has to keep.

Texts hold lone surrogates, U+2028 and what stands in JSON and event streams for something; arguments hold numbers of
thirty digits. Texts come in pieces, usage anywhere.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from hypothesis import strategies as st

from proxy.dialects.answer import fold
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Finish, Kind, Reason, Sign, Start, Usage
from proxy.dialects.json_text import encode_json, parse_arguments
from proxy.dialects.parts import Image, Part, Redacted, Refusal, Signature, Text, Thinking, ToolCall

TOOLS: Final = ("add", "get_weather", "mul-2")
_SHARP: Final = [
    "\ud800",
    "\udfff",
    "\u2028\u2029\x85",
    "\r\n\r\n",
    "data: [DONE]\n\n",
    '"}],',
    "\\",
    "\0",
    "é𝄞",
    "<think>",
]

texts = st.one_of(st.text(st.characters(), min_size=1, max_size=12), st.sampled_from(_SHARP))
_numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
_values = st.recursive(
    st.none() | st.booleans() | _numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
arguments = st.dictionaries(texts, _values, max_size=3).map(lambda value: encode_json(value).decode())
_counts = st.integers(0, 9999)
usages = st.builds(
    # A part is never more than the whole it belongs to.
    lambda fresh, read, said, thought: Usage(fresh + (read or 0) + 1, read, None, said + (thought or 0), thought),
    _counts, st.none() | _counts, _counts, st.none() | _counts,
)  # fmt: skip
_words = st.text("ABCabc012", min_size=4, max_size=12).map(lambda text: text[: len(text) // 4 * 4])
_FORMS: Final = {
    ("r", Kind.THINKING): '{{"id":"rs_{0}","encrypted_content":"{0}"}}',
    ("r", Kind.REDACTED): '{{"id":"rs_{0}","encrypted_content":"{0}"}}',
    ("o", Kind.THINKING): '{{"type":"reasoning.text","signature":"{0}","format":"anthropic-claude-v1","index":{1}}}',
    ("o", Kind.REDACTED): '{{"type":"reasoning.encrypted","data":"{0}","index":{1}}}',
}


def signatures(origin: str, kind: Kind, number: int) -> st.SearchStrategy[Signature]:
    """Signatures as the provider of `origin` writes them."""
    return _words.map(lambda word: Signature(origin, _FORMS.get((origin, kind), "{0}").format(word, number)))


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[Event]:
    """A text in one to three deltas."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=2)))
    edges = [0, *cuts, len(text)]
    return [Delta(text[start:end]) for start, end in pairwise(edges) if start < end]


@st.composite
def blocks(draw: st.DrawFn, kinds: Sequence[Kind], number: int, origin: str) -> list[Event]:
    """One block. origin: of the signature that it may have, "" for none."""
    kind = draw(st.sampled_from(kinds))
    signed = draw(signatures(origin, kind, number)) if origin and draw(st.booleans()) else None
    match kind:
        case Kind.TOOL:
            signed = signed if origin == "g" else None  # nobody else signs calls
            start = BlockStart(kind, f"call_{number}", draw(st.sampled_from(TOOLS)), signature=signed)
            return [start, *draw(pieces(draw(arguments))), BlockEnd()]
        case Kind.THINKING:
            said = draw(pieces(draw(texts)))
            return [BlockStart(kind), *said, *([Sign(signed)] if signed else []), BlockEnd()]
        case Kind.REDACTED:
            return [BlockStart(kind, signature=draw(signatures(origin, kind, number))), BlockEnd()]
        case Kind.IMAGE:
            return [BlockStart(kind, name="image/png", data="iVBORw0KGgo="), BlockEnd()]
        case _:
            return [BlockStart(kind), *draw(pieces(draw(texts))), BlockEnd()]


@st.composite
def answers(draw: st.DrawFn, kinds: Sequence[Kind] = (Kind.TEXT, Kind.THINKING, Kind.TOOL), origin: str = "",
            ) -> list[Event]:  # fmt: skip
    """A complete answer. Neighbours differ in kind, or are calls: others would be one on most wires."""
    usage = draw(usages)
    early = Usage(usage.input, usage.cache_read)
    events: list[Event] = [Start("id_1", "model-1", draw(st.sampled_from([None, early])))]
    before: Kind | None = None
    for number in range(draw(st.integers(0, 5))):
        block = draw(blocks(kinds, number, origin))
        kind = block[0].kind if isinstance(block[0], BlockStart) else None
        if kind is before and kind is not Kind.TOOL:
            continue
        before = kind
        events += block
        if draw(st.booleans()):
            events.append(draw(st.sampled_from([early, usage])))
    called = any(isinstance(event, BlockStart) and event.kind is Kind.TOOL for event in events)
    refused = any(isinstance(event, BlockStart) and event.kind is Kind.REFUSAL for event in events)
    reasons = [Reason.TOOL_USE] if called else [Reason.REFUSAL] if refused else [Reason.STOP, Reason.LENGTH]
    reason = draw(st.sampled_from(reasons))
    return [*events, usage, Finish(reason)]


def describe(events: Sequence[Event], *, apart: bool = False) -> list[tuple[Any, ...]]:
    """What an answer says, part by part: texts as they are, arguments as values; no ids, and of signatures only that
    there is one.

    apart: thoughts, texts and calls stand in places of their own, as in OpenAI's whole answers.
    """
    said = [_describe(part) for part in fold(events).parts]
    merged: list[tuple[Any, ...]] = []
    for each in sorted(said, key=lambda each: each[0]) if apart else said:
        if apart and merged and each[0] == merged[-1][0] and each[0] in _SPOKEN:
            merged[-1] = (each[0], merged[-1][1] + each[1])
        else:
            merged.append(each[:2] if apart and each[0] in _SPOKEN else each)
    return [(each[0], _join_pairs(each[1]), *each[2:]) if each[0] in _SPOKEN else each for each in merged]


def _join_pairs(text: str) -> str:
    """Two halves of a character that have come together are one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_SPOKEN: Final = ("text", "thinking", "refusal")


def _describe(part: Part) -> tuple[Any, ...]:
    match part:
        case Text():
            return "text", part.text
        case Thinking():
            return "thinking", part.text, part.signature is not None
        case Refusal():
            return "refusal", part.text
        case ToolCall():
            return "tool", part.name, parse_arguments(part.arguments), part.signature
        case Redacted():
            return "redacted", part.signature
        case Image():
            return "image", part.media
        case _:
            return (type(part).__name__,)
