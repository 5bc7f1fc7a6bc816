"""Known keys in bytes that come in pieces, masked without a change of length.

`feed` gives what can be said, `end` the rest: of the end of a piece as much is held back as a key may have begun in. So
what comes out is the same however the bytes were cut, and nothing is held for longer than the key's next byte takes.
"""

from collections.abc import Iterable


class Mask:
    """Stars for every byte of one of `secrets`, also where two of them overlap."""

    __slots__ = ("_held", "_marks", "_secrets")

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._held = b""
        self._marks = b""  # of what is held: which bytes belong to a key that is known already

    def feed(self, data: bytes) -> bytes:
        whole, marks = self._held + data, bytearray(self._marks + bytes(len(data)))
        for secret in self._secrets:
            at = whole.find(secret)
            while at >= 0:
                marks[at : at + len(secret)] = b"\1" * len(secret)
                at = whole.find(secret, at + 1)
        cut = len(whole) - self._count_begun(whole)
        self._held, self._marks = whole[cut:], bytes(marks[cut:])
        return _paint(whole[:cut], marks)

    def end(self) -> bytes:
        held, marks = self._held, self._marks
        self._held = self._marks = b""
        return _paint(held, marks)

    def _count_begun(self, whole: bytes) -> int:
        """Bytes at the end that may be the beginning of a key."""
        longest = max(map(len, self._secrets), default=0)
        for count in range(min(longest - 1, len(whole)), 0, -1):
            begun = whole[-count:]
            if any(secret.startswith(begun) and len(secret) > count for secret in self._secrets):
                return count
        return 0


def _paint(data: bytes, marks: bytes | bytearray) -> bytes:
    if 1 not in marks:
        return data
    return bytes(42 if mark else byte for byte, mark in zip(data, marks, strict=False))  # 42: a star
