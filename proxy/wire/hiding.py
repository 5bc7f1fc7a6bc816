"""What is hidden of a message before it is kept: credentials in fields, in a query, and known keys anywhere.

Fields and parameters are told by name, and too much is hidden rather than too little: what is hidden keeps its name and
loses its value. Known keys are looked for in bytes, and masked without a change of length.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

from proxy.wire.headers import CREDENTIALS

HIDDEN: Final = b"***"

SHORTEST: Final = 8
"""Bytes below which a secret is not looked for: it may be any word."""

LONGEST: Final = 1024
"""Bytes of what is looked for at a time: reads are held back as long as it may have begun in them."""

MOST: Final = 32
"""Secrets of one request that are looked for, in every read of its answer; a caller may show thousands."""

_TELLING: Final = re.compile(rb"auth|key|secret|passw|cookie|credential|signature|session|token(?!s)", re.IGNORECASE)
"""In names: of what opens something. The plural counts tokens."""

_CALLER: Final = re.compile(rb"forwarded|real-ip|client-ip|connecting-ip|referer|^from$", re.IGNORECASE)
"""In names of fields: who has asked, and from where. A recording is given away, and is of what was said."""

_ANSWERED: Final = frozenset({b"set-cookie", b"set-cookie2"}) | CREDENTIALS
"""Of an answer's fields only these are hidden: limits and ids are what an answer is recorded for."""

_PARAMETER: Final = re.compile(r"([?&]([^=&]*)=)[^&]*")

_SHORT: Final = frozenset({"sig", "code", "state", "pwd"})

Pairs = list[tuple[bytes, bytes]]


def is_telling(name: bytes) -> bool:
    """Whether a field of this name opens something."""
    return _TELLING.search(name) is not None


def hide_request_fields(pairs: Iterable[tuple[bytes, bytes]]) -> Pairs:
    return [(name, HIDDEN if is_telling(name) or _CALLER.search(name) else value) for name, value in pairs]


def hide_answer_fields(pairs: Iterable[tuple[bytes, bytes]]) -> Pairs:
    return [(name, HIDDEN if name.lower() in _ANSWERED else value) for name, value in pairs]


def find_secrets(pairs: Iterable[tuple[bytes, bytes]], target: str) -> tuple[bytes, ...]:
    """What a request opens something with, where it is long enough to be looked for: a provider may quote it. A long
    one is looked for in pieces. Bounded; cookies come last."""
    found, cookies = [], []
    for name, value in pairs:
        if name.lower() == b"cookie":
            cookies += [part.partition(b"=")[2] for part in value.split(b";", MOST)]
        elif name.lower() in CREDENTIALS:
            found.append(value.rpartition(b" ")[2])
    for match in _PARAMETER.finditer(target):
        if _hide_parameter(match) != match[0]:
            text = match[0][len(match[1]) :]
            found += [text.encode("utf-8", "replace"), unquote_to_bytes(text)]
    pieces = dict.fromkeys(piece for secret in (*found, *cookies) for piece in _cut(secret))
    return tuple(islice(pieces, MOST))


def _cut(secret: bytes) -> Iterator[bytes]:
    """In pieces of about one length, so that none is too short to be looked for."""
    if len(secret) < SHORTEST:
        return
    count = -(-len(secret) // LONGEST)
    for number in range(count):
        yield secret[number * len(secret) // count : (number + 1) * len(secret) // count]


def hide_parameters(target: str) -> str:
    """`target` without the values of telling parameters of its query."""
    path, mark, query = target.partition("?")
    return path + _PARAMETER.sub(_hide_parameter, mark + query) if mark else target


def _hide_parameter(match: re.Match[str]) -> str:
    name = match[2].lower()
    # An escape in the name may stand for any letter.
    telling = name in _SHORT or "%" in name or _TELLING.search(name.encode("utf-8", "replace"))
    return match[1] + HIDDEN.decode() if telling else match[0]


def mask_parts(parts: Sequence[bytes], secrets: Iterable[bytes]) -> Sequence[bytes]:
    """`parts` with `*` for every byte of a secret, also of one that two parts share; lengths stay. The very same
    where there is none."""
    whole = masked = b"".join(parts)
    for secret in sorted(secrets, key=len, reverse=True):  # of two with one beginning no end may stay
        if secret in masked:
            masked = masked.replace(secret, b"*" * len(secret))
    if masked is whole:
        return parts
    cut: list[bytes] = []
    at = 0
    for part in parts:
        cut.append(masked[at : at + len(part)])
        at += len(part)
    return cut


def mask_text(text: str, secrets: Iterable[bytes]) -> str:
    """The same in a text of Latin-1, as a field's."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret.decode("latin-1"), "*" * len(secret))
    return text
