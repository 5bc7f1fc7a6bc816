"""A provider's error with our keys masked in it: whoever asked is told what went wrong, and not with which key.

Some servers quote what they refuse. `veil` puts a VeiledSource before the body of an answer from 400 on, which masks
each key with as many stars: lengths and framing stay, a body still passes as it comes, and one that holds no key is the
same byte for byte. A compressed body is passed as it is: nothing of it is undone on the way.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from proxy.errors import UpstreamFault
from proxy.relay.ports import Answer, Receiver, Source
from proxy.wire.hiding import SHORTEST
from proxy.wire.masking import Mask

_FIRST_ERROR: Final = 400


def veil(answer: Answer, secrets: Sequence[bytes]) -> Answer:
    """`answer` as it may be shown to a caller."""
    if answer.status < _FIRST_ERROR or answer.source is None:
        return answer
    known = [secret for secret in secrets if len(secret) >= SHORTEST]
    coding = answer.headers.get_first(b"content-encoding") or b"identity"
    if not known or coding.strip().lower() != b"identity":
        return answer
    return replace(answer, source=VeiledSource(answer.source, Mask(known)))


class VeiledSource:
    """A Source whose bytes go through a Mask."""

    __slots__ = ("_mask", "_receiver", "_source")

    def __init__(self, source: Source, mask: Mask) -> None:
        self._source = source
        self._mask = mask
        self._receiver: Receiver

    # As a Source.

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._source.start(self)

    def pause(self) -> None:
        self._source.pause()

    def resume(self) -> None:
        self._source.resume()

    def abort(self) -> None:
        self._source.abort()

    # As a Receiver.

    def feed(self, data: bytes) -> None:
        self._push(self._mask.feed(data))

    def end(self) -> None:
        self._push(self._mask.end())
        self._receiver.end()

    def fail(self, fault: UpstreamFault) -> None:
        self._push(self._mask.end())
        self._receiver.fail(fault)

    def _push(self, data: bytes) -> None:
        if data:
            self._receiver.feed(data)
