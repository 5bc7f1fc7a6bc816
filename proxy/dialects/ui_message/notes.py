"""What of ours travels through a chat page and back: notes in `providerMetadata`, under our own name.

A page built on the AI SDK keeps `providerMetadata` with each part and sends it again with the next request
(`processUIMessageStream` and `HttpChatTransport` of npm `ai` 6.0.326 and 7.0.173), so the signatures that providers
want back need no memory here. Every note is `{"penstock": {member: value}}`. A note that is none of ours, or broken,
is as good as none: pages may hold metadata of any other server.
"""

from typing import Final

from proxy.dialects.fields import Fields
from proxy.dialects.json_text import encode_string
from proxy.dialects.parts import Json, Signature
from proxy.dialects.signatures import seal, unseal

SIGNATURE: Final = "signature"
REDACTED: Final = "redacted"
REFUSAL: Final = "refusal"

_OURS: Final = "penstock"


def build_note(member: str, value: Json) -> dict[str, Json]:
    """The value of `providerMetadata`."""
    return {_OURS: {member: value}}


def build_signature(member: str, signature: Signature) -> dict[str, Json]:
    return build_note(member, seal(signature))


def encode_signature(member: str, signature: Signature | None) -> bytes:
    """The member `providerMetadata` of a chunk with its comma before, b"" without a signature."""
    if signature is None:
        return b""
    return b',"providerMetadata":{"%b":{"%b":%b}}' % (_OURS.encode(), member.encode(), encode_string(seal(signature)))


def read_note(part: Fields, member: str, *places: str) -> Json:
    """What `member` says in the first of the metadata `places` that has it, None when none does."""
    for place in places or ("providerMetadata",):
        metadata = part.raw(place)
        ours = metadata.get(_OURS) if isinstance(metadata, dict) else None
        if isinstance(ours, dict) and ours.get(member) is not None:
            return ours[member]
    return None


def read_signature(part: Fields, member: str, *places: str) -> Signature | None:
    sealed = read_note(part, member, *places)
    return unseal(sealed) if isinstance(sealed, str) else None
