"""JSON as dialects need it: fast where msgspec can, tolerant where it cannot, and safe inside event streams.

What msgspec refuses (lone surrogates, NaN, integers of any size as they are) the standard library
reads; U+2028, U+2029 and U+0085 leave escaped, because many clients split lines at them.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from proxy.dialects.parts import Json

_SPLITTERS: Final = re.compile("\u2028|\u2029|\u0085".encode())
_ESCAPES: Final = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029", "\u0085".encode(): rb"\u0085"}
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


MOST_LEVELS: Final = 256
"""Containers within each other (RFC 8259 section 9 lets readers set a limit). Google's own takes 100, schemas and
arguments have a dozen; and what is read here has to be written again, from a deeper place in the program."""


def decode_json(data: bytes | str) -> Json:
    """The value. Raises ValueError for what is no JSON by either reader, and for what nests too deeply."""
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = _decode_slowly(data)
    if len(data) > 2 * MOST_LEVELS and _is_deep(data, value):
        raise ValueError("nested too deeply")
    return value


def _decode_slowly(data: bytes | str) -> Json:
    try:
        return json.loads(data if isinstance(data, str) else data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _is_deep(data: bytes | str, value: Json) -> bool:
    """Level by level, where there are enough brackets at all."""
    brackets = ("{", "[") if isinstance(data, str) else (b"{", b"[")
    if sum(map(data.count, brackets)) <= MOST_LEVELS:  # type: ignore[arg-type]
        return False
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            item
            for container in level
            if isinstance(container, dict | list)
            for item in (container.values() if isinstance(container, dict) else container)
        ]
    return bool(level)


def decode_leniently(data: bytes) -> Json:
    """The same of what a provider sent: broken UTF-8 is replaced (WHATWG HTML 9.2.6)."""
    try:
        return decode_json(data)
    except UnicodeDecodeError:
        return decode_json(data.decode("utf-8", "replace"))


def make_unicode(text: str) -> str:
    """`text` as a log, a label or a file can hold it: half a character, which JSON can spell, becomes a `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def encode_json(value: Json) -> bytes:
    """Compact JSON in UTF-8. A lone surrogate leaves as its escape."""
    try:
        data = _encode(value)
    except (UnicodeError, msgspec.EncodeError, OverflowError):
        return _encode_any(value)
    return escape_lines(data)


def _encode_any(value: Json) -> bytes:
    """By the standard library; NaN and infinity, which are no JSON, become null, as msgspec has them."""
    data = json.dumps(value, separators=(",", ":")).encode()
    return _NO_NUMBER(_drop_no_number, data) if b"N" in data or b"Infinity" in data else data


def _drop_no_number(match: re.Match[bytes]) -> bytes:
    return match[0] if match[0].startswith(b'"') else b"null"


def escape_lines(data: bytes) -> bytes:
    """JSON text without the characters at which clients wrongly end a line. They stand in strings only."""
    if data.isascii():
        return data
    return _SPLITTERS.sub(lambda match: _ESCAPES[match[0]], data)


def encode_string(text: str) -> bytes:
    """A JSON string, quotes included: the hot part of an event's template."""
    return encode_json(text)


def parse_arguments(text: str) -> dict[str, Json] | None:
    """A tool call's arguments as an object: {} for blank text, None for what is no JSON object."""
    if not text.strip():
        return {}
    try:
        value = decode_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


# Possessive quantifiers keep no way back: linear time, and no memory for strings of many megabytes.
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_OPENING: Final = re.compile(rb"\s*\{").match
_KEY: Final = re.compile(rb"[\s,]*+(" + _STRING + rb")\s*+:\s*+", re.DOTALL).match
_SCALAR: Final = re.compile(_STRING + rb"|[^\s,}\]]++", re.DOTALL).match
_NO_NUMBER: Final = re.compile(_STRING + rb"|NaN|-?Infinity").sub
_BRACKETS: Final = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+[{}\[\]]", re.DOTALL).finditer


def find_member(body: bytes, name: str) -> tuple[int, int] | None:
    """Where the value of the top-level member `name` stands in the JSON object `body`: start and end, the last one if
    there are several. None when there is none. `body` must be JSON; time is linear."""
    found: tuple[int, int] | None = None
    for key, start, end in _iterate_members(body):
        if key == name:
            found = start, end
    return found


def list_members(body: bytes) -> list[str]:
    """The names of the top-level members of the JSON object `body`, in order, as often as they stand there."""
    return [name for name, _, _ in _iterate_members(body)]


def replace_member(body: bytes, name: str, value: bytes) -> bytes:
    """`body` with the top-level member `name` set to `value` (JSON); every other byte stays."""
    place = find_member(body, name)
    if place is not None:
        return body[: place[0]] + value + body[place[1] :]
    return insert_member(body, name, value)


def insert_member(body: bytes, name: str, value: bytes) -> bytes:
    """`body`, which has no member `name`, with it as its first one; every other byte stays."""
    opening = body.index(b"{") + 1
    comma = b"" if body[opening:].lstrip().startswith(b"}") else b","
    return body[:opening] + encode_json(name) + b":" + value + comma + body[opening:]


def _iterate_members(body: bytes) -> Iterator[tuple[str, int, int]]:
    opening = _OPENING(body)
    at = opening.end() if opening else len(body)
    while key := _KEY(body, at):
        start = key.end()
        at = _find_end(body, start)
        yield str(decode_json(key[1])), start, at


def _find_end(body: bytes, start: int) -> int:
    """The end of the value that begins at `start`."""
    if body[start : start + 1] not in (b"{", b"["):
        scalar = _SCALAR(body, start)
        return scalar.end() if scalar else len(body)
    depth = 0
    for match in _BRACKETS(body, start):
        depth += 1 if body[match.end() - 1] in b"{[" else -1
        if depth == 0:
            return match.end()
    return len(body)
