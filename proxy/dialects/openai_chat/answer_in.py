"""A whole answer of an OpenAI-type provider to events, through the machine that reads its streams.

Any bytes are taken, blank lines before the JSON too (openrouter.ai keeps connections alive with them). An error under
200 is a Failure, an event stream where JSON was asked for is read as one, and what cannot be read is BAD_GATEWAY.
"""

from typing import TYPE_CHECKING

from proxy.dialects.chat import Turn
from proxy.dialects.events import Event, Failure, FailureKind
from proxy.dialects.failures import SAYINGS, parse_error_value
from proxy.dialects.json_text import decode_leniently
from proxy.dialects.openai_chat.chunks import read_chunk
from proxy.wire.sse import Parser

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.flavour import Flavour

_UNREADABLE = Failure(FailureKind.BAD_GATEWAY, SAYINGS[FailureKind.BAD_GATEWAY])


def parse_answer(body: bytes, turn: Turn, flavour: "Flavour") -> list[Event]:
    """Its events: the last one is a Finish, also when no finish reason was given, or a Failure."""
    decoder = flavour.decoder(turn, flavour)
    body = body.strip()
    if body.startswith((b"data:", b":", b"event:")):
        parser = Parser()
        found = [event for block in parser.feed(body) for event in decoder.feed(block)]
        return found + decoder.end(parser.tail)
    try:
        chunk = read_chunk(body)
    except ValueError:
        return [_UNREADABLE]
    decoder.take_chunk(chunk, body)
    if decoder.ended:
        return decoder.out
    if not chunk.choices:
        return [*decoder.out, _read_other(body, flavour)]
    decoder.complete = True
    return decoder.out + decoder.end()


def _read_other(body: bytes, flavour: "Flavour") -> Failure:
    """JSON that is no answer: an error in another shape, or nothing that says anything."""
    try:
        value = decode_leniently(body)
    except ValueError:  # it nests too deeply; the typed reader has passed over that
        return _UNREADABLE
    failure = parse_error_value(value, codes=flavour.codes)
    silent = failure.kind is FailureKind.SERVER and failure.message == SAYINGS[FailureKind.SERVER]
    return _UNREADABLE if silent else failure
