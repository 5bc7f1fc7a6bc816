"""What a viewer is sent when it has changed: a value that is kept encoded, and lists of which the newest are kept."""

from collections import deque

import msgspec

from proxy.dialects.json_text import encode_json


class Part:
    """One value. at: the version at which it last changed."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes = b"null") -> None:
        self.at = 0
        self.data = data

    def put(self, data: bytes, version: int) -> None:
        if data != self.data:
            self.data, self.at = data, version


class Tail:
    """The newest `most` entries. forgotten: the version of the last one that was dropped."""

    __slots__ = ("_entries", "forgotten")

    def __init__(self, most: int) -> None:
        self._entries: deque[tuple[int, bytes]] = deque(maxlen=most)
        self.forgotten = 0

    def put(self, data: bytes, version: int) -> None:
        if len(self._entries) == self._entries.maxlen:
            self.forgotten = self._entries[0][0]
        self._entries.append((version, data))

    def list_since(self, since: int) -> list[bytes]:
        """Oldest first."""
        return [data for version, data in self._entries if version > since]


def join(entries: list[bytes]) -> bytes:
    """As a JSON array."""
    return b"[%b]" % b",".join(entries)


def encode(value: object) -> bytes:
    """A value of ours as JSON. What came from outside may hold half a character, which fast JSON refuses."""
    try:
        return msgspec.json.encode(value)
    except UnicodeError:
        return encode_json(msgspec.to_builtins(value))
