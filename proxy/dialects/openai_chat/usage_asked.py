"""The token counts of a stream, asked for on behalf of a client that did not.

A server of OpenAI's family says them in a stream only when `stream_options.include_usage` asks for it, and then in a
chunk of its own, without choices, before `[DONE]` (platform.openai.com/docs/api-reference/chat/create). `add_usage`
puts that into a request and leaves every other byte; `is_usage_chunk` finds the chunk that comes of it, so that it can
be taken out again. Servers that say the counts beside a choice are left as they are: the chunk carries the answer too.
"""

from typing import Final

from proxy.dialects.chat import Target
from proxy.dialects.json_text import decode_json, find_member, insert_member, replace_member
from proxy.dialects.openai_chat.chunks import read_chunk
from proxy.dialects.openai_chat.quirks import find_quirk

_OPTIONS: Final = "stream_options"
_WANTED: Final = b'{"include_usage":true}'


def asks_usage(body: bytes) -> bool:
    """Whether the request `body`, a JSON object, asks for the counts itself."""
    if b"include_usage" not in body:  # nearly all that do not; the search of a large body is a tenth of reading it
        return False
    place = find_member(body, _OPTIONS)
    options = decode_json(body[slice(*place)]) if place else None
    return isinstance(options, dict) and options.get("include_usage") is True


def add_usage(body: bytes, target: Target) -> bytes | None:
    """`body`, the JSON object of a stream's request, asking for the counts. None where that is not to be: it does so
    already, this server takes no such parameter, or what stands in its place is wrong and the server shall say so."""
    if not find_quirk(target).stream_options:
        return None
    # Spelt with escapes it is passed over here, stands behind ours and counts: the last of two does. Looking for the
    # bytes takes a twentieth of the time for reading the members, and nearly every large body is spared that.
    place = find_member(body, _OPTIONS) if _OPTIONS.encode() in body else None
    if place is None:
        return insert_member(body, _OPTIONS, _WANTED)
    found = body[slice(*place)]
    options = decode_json(found)
    if options is None:
        return replace_member(body, _OPTIONS, _WANTED)
    asked = options.get("include_usage") if isinstance(options, dict) else options
    if asked is not None and asked is not False:
        return None
    return replace_member(body, _OPTIONS, replace_member(found, "include_usage", b"true"))


def is_usage_chunk(data: bytes) -> bool:
    """Whether an event has the counts and nothing of the answer."""
    if b'"usage"' not in data:
        return False
    try:
        chunk = read_chunk(data)
    except ValueError:
        return False
    return isinstance(chunk.usage, dict) and not chunk.choices and not chunk.error
