"""Ways to spoil what is well formed: bytes, JSON values, event streams. Everything is drawn from a `Random`: it may
be a seeded one, one that hypothesis shrinks, or one that is driven by coverage: the same draws give the same input.
"""

import json
from itertools import pairwise
from random import Random
from typing import Any, Final

Json = Any

_BYTES: Final = (
    b"", b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\xff", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80",
    b"\x85", b"\xe2\x80\xa8", b":", b",", b" ", b"\t", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u", b"\\ud800",
    b"0", b"-", b"1e999", b"9" * 30, b"NaN", b"null", b"true", b"data: ", b"data: [DONE]\n\n", b"event: error\n",
    b"<think>", b"</think>", b"%", b"%00", b"${A}", b"gw1.", b"x" * 300, b"[" * 300,
)  # fmt: skip

_TEXTS: Final = (
    "", " ", "0", "-1", "1e400", "true", "null", "\ud800", "\udfff", "\ud83d", "\0", "\r\n\r\n", "\n\n", "\u2028",
    "\x85", "\ufeff", "data: [DONE]\n\n", '"}],', "\\", "{", "[", "{}", "[]", '{"a":1}', "<think>", "</think>",
    "<thi", "é𝄞", "error", "stop", "length", "tool_calls", "tool_use", "end_turn", "STOP", "text", "function",
    "object", "assistant", "user", "system", "tool", "thinking", "image/png", "data:image/png;base64,AAAA",
    "https://a/b", "call_1", "0", "gw1.", "gw1.a.AAAA", "Infinity", "NaN", "2030-01-01T00:00:00Z", "1h", "x" * 300,
    "${A}", "a/b", "ä" * 70, "*", '{"a":' * 950 + "1" + "}" * 950, "[" * 990 + "]" * 990,
)  # fmt: skip

_NUMBERS: Final = (
    0, 1, -1, 2, 7, 255, 256, 65536, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 10**400,
    0.0, -0.0, 0.5, -1.5, 1e-9, 1e300, 5e-324, 1.0, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip

_DEEP: Final = "<deep>"
"""Stands for containers within each other, many: Python could not write them."""

_LEVELS: Final = (200, 240, 255, 256, 480, 700, 1200)
"""Readers give up at about a thousand."""

_NAMES: Final = (
    "type", "index", "id", "name", "delta", "choices", "message", "messages", "content", "error", "code", "status",
    "usage", "role", "text", "input", "output", "tool_calls", "function", "arguments", "parts", "candidates", "model",
    "finish_reason", "finishReason", "stop_reason", "response", "reasoning", "reasoning_content", "thinking", "tools",
    "thoughtSignature", "signature", "functionCall", "args", "parameters", "stream", "n", "", "\ud800", "details",
    "$ref", "properties", "anyOf", "item", "part", "summary", "content_block", "retryDelay", "metadata",
    "extra_content",
)  # fmt: skip


def maybe(random: Random, chance: float) -> bool:
    return random.random() < chance


def some(random: Random, most: int) -> int:
    """Mostly few: 1 to `most`."""
    return 1 + int((most - 1) * random.random() ** 3)


def draw_scalar(random: Random) -> Json:
    kind = random.randrange(6)
    if kind == 0:
        return random.choice((None, True, False))
    if kind < 3:
        return random.choice(_NUMBERS)
    return random.choice(_TEXTS)


def draw_json(random: Random, depth: int = 3) -> Json:
    """Any value, with the words of the dialects in it."""
    kind = random.randrange(4 if depth else 2)
    if kind < 2:
        return draw_scalar(random)
    if kind == 2:
        return [draw_json(random, depth - 1) for _ in range(random.randrange(3))]
    return {random.choice(_NAMES): draw_json(random, depth - 1) for _ in range(random.randrange(4))}


def bend(random: Random, value: Json) -> Json:
    """A copy of `value` with a few places in it changed."""
    holder = [_copy(value)]
    for _ in range(some(random, 6)):
        places = _list_places(holder)
        _bend_one(random, *random.choice(places), places)
    return holder[0]


def _list_places(value: Json) -> list[tuple[Json, Json]]:
    """Every container within `value`, with each of its keys."""
    places: list[tuple[Json, Json]] = []
    stack = [value]
    while stack and len(places) < 3000:
        container = stack.pop()
        for key in list(container) if isinstance(container, dict) else range(len(container)):
            places.append((container, key))
            if isinstance(container[key], dict | list):
                stack.append(container[key])
    return places


def _bend_one(random: Random, container: Json, key: Json, places: list[tuple[Json, Json]]) -> None:
    kind = random.randrange(12)
    inside = container[key]
    other, its = random.choice(places)
    if kind < 4:
        container[key] = draw_scalar(random)
    elif kind == 4:
        container[key] = draw_json(random)
    elif kind == 5:
        container[key] = _copy(other[its])
    elif kind == 6 and isinstance(container, dict):
        container[random.choice(_NAMES)] = draw_json(random, 2)
    elif kind == 7 and isinstance(container, dict):
        del container[key]
        container.setdefault("filler", None)
    elif kind == 8 and isinstance(inside, list) and inside:
        inside.insert(random.randrange(len(inside) + 1), _copy(random.choice(inside)))
    elif kind == 9 and isinstance(inside, list) and len(inside) > 1:
        random.shuffle(inside)
    elif kind == 10:
        container[key] = [inside] if maybe(random, 0.5) else {random.choice(_NAMES): inside}
    elif kind == 11 and isinstance(inside, str):
        at = random.randrange(len(inside) + 1)
        container[key] = inside[:at] + random.choice(_TEXTS) + inside[at:]
    else:
        container[key] = nest(random)


def nest(random: Random) -> Json:
    """Containers within each other, now and then as deep as parsers go."""
    value: Json = _DEEP if maybe(random, 0.3) else draw_scalar(random)
    for _ in range(random.choice((1, 3, 30, 200))):
        value = {"a": value} if maybe(random, 0.5) else [value]
    return value


def _copy(value: Json) -> Json:
    try:
        return json.loads(json.dumps(value))
    except RecursionError:  # what was bent before
        return [_DEEP]


def dump(random: Random, value: Json) -> bytes:
    """JSON as somebody may write it: spaced or not, escaped or not, with numbers that are none."""
    spaced, escaped = maybe(random, 0.3), maybe(random, 0.5)
    try:
        text = json.dumps(value, ensure_ascii=escaped, separators=None if spaced else (",", ":"))
    except RecursionError:  # bent several times
        text = f'"{_DEEP}"'
    if _DEEP in text:
        opened, closed = random.choice((("[", "]"), ('{"a":', "}")))
        levels = random.choice(_LEVELS)
        text = text.replace(f'"{_DEEP}"', opened * levels + "1" + closed * levels)
    return text.encode("utf-8", "surrogatepass")


def spoil(random: Random, data: bytes) -> bytes:
    """`data` with a few bytes of it changed, taken out, put in, doubled or cut off."""
    for _ in range(some(random, 8)):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + some(random, 40))
        kind = random.randrange(7)
        if kind < 3:
            data = data[:at] + random.choice(_BYTES) + data[at:]
        elif kind == 3:
            data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        elif kind == 4:
            data = data[:at] + data[end:]
        elif kind == 5:
            data = data[:end] + data[at:end] + data[end:]
        else:
            data = data[:at]
    return data


def cut(random: Random, data: bytes) -> list[bytes]:
    """`data` in pieces, some of them empty; now and then byte by byte."""
    if len(data) < 2000 and maybe(random, 0.1):
        return [data[at : at + 1] for at in range(len(data))]
    places = sorted(random.randrange(len(data) + 1) for _ in range(some(random, 12)))
    return [data[start:end] for start, end in pairwise([0, *places, len(data)])]


_STRANGE: Final = (
    b": a comment\n\n", b":\n", b"\n", b"retry: 5\n\n", b"id: 1\n\n", b"data\n\n", b"data:\n\n", b"data: \n\n",
    b"event: ping\ndata: {}\n\n", b"data: [DONE]\n\n", b"data: {\n\n", b"data: null\n\n", b"data: []\n\n",
    b'data: {"error":{"message":"no","type":"server_error"}}\n\n', b"data: {}\n\n", b'data: "x"\n\n', b"event:\n\n",
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n', b"nonsense\n\n",
    b'data: {"a":\ndata: 1}\n\n', b"\xef\xbb\xbfdata: {}\n\n", b"data: \xff\n\n", b"data: 1e999\n\n",
)  # fmt: skip


def bend_stream(random: Random, blocks: list[bytes]) -> bytes:
    """A stream of events: some of them bent, dropped, doubled or moved, and others put in; other line ends."""
    blocks = list(blocks)
    for _ in range(some(random, 8)):
        at = random.randrange(len(blocks)) if blocks else 0
        kind = random.randrange(8)
        if not blocks or kind == 0:
            blocks.insert(at, random.choice(_STRANGE))
        elif kind == 1:
            del blocks[at]
        elif kind == 2:
            blocks.insert(random.randrange(len(blocks) + 1), blocks[at])
        elif kind == 3:
            blocks[at] = spoil(random, blocks[at])
        else:
            blocks[at] = _bend_block(random, blocks[at])
    data = b"".join(blocks)
    if maybe(random, 0.2):
        data = data.replace(b"\n", random.choice((b"\r\n", b"\r")))
    if maybe(random, 0.1):
        data = spoil(random, data)
    return data


def _bend_block(random: Random, block: bytes) -> bytes:
    head, mark, rest = block.partition(b"data: ")
    try:
        value = json.loads(rest)
    except (ValueError, RecursionError):
        return spoil(random, block)
    return head + mark + dump(random, bend(random, value)) + b"\n\n"
