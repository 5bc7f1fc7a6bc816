"""Puts the items of a stream, which may grow side by side, into the hub's order: one block after the other.

The first block in line is passed on as it grows; what belongs to a later one waits until those before it are done.
The API itself sends item after item, so that nothing waits there. Knows nothing of JSON or events of the API.
"""

from collections import deque

from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Kind, Sign
from proxy.dialects.parts import Signature

Key = tuple[int, int]


class Growing:
    """A block of the answer. texts: all that was said. section: which event, and which part of the item, it comes
    from."""

    __slots__ = ("done", "key", "opened", "section", "signature", "start", "texts", "waiting")

    def __init__(self, key: Key, start: BlockStart) -> None:
        self.key = key
        self.start = start
        self.texts: list[str] = []
        self.waiting: list[str] = []
        self.section: tuple[str, int] | None = None
        self.signature: Signature | None = None
        self.opened = False
        self.done = False

    def add(self, text: str) -> None:
        if text:
            self.texts.append(text)
            self.waiting.append(text)

    def complete(self, text: str) -> None:
        """`text` is all of it: what was never said comes now."""
        seen = "".join(self.texts)
        if text.startswith(seen):
            self.add(text[len(seen) :])

    @property
    def ready(self) -> bool:
        """Enough is known to begin, and there is something to say."""
        match self.start.kind:
            case Kind.TOOL:
                return bool(self.start.id and self.start.name)
            case Kind.IMAGE | Kind.OPAQUE:
                return True
            case _:
                return bool(self.waiting) or self.signature is not None


class Line:
    """live: the block that deltas may be passed on for directly. kinds: of the blocks so far."""

    __slots__ = ("_blocks", "_line", "kinds", "live")

    def __init__(self) -> None:
        self._blocks: dict[Key, Growing] = {}
        self._line: deque[Growing] = deque()
        self.live: Growing | None = None
        self.kinds: set[Kind] = set()

    def __len__(self) -> int:
        return len(self._blocks)

    def find(self, key: Key) -> Growing | None:
        return self._blocks.get(key)

    def get(self, key: Key, start: BlockStart) -> Growing:
        """The block under `key`; a new one at the end of the line if there is none."""
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = Growing(key, start)
            self._line.append(block)
        return block

    def unfinished(self) -> list[Growing]:
        return [block for block in self._line if not block.done]

    def advance(self) -> list[Event]:
        """What can be said now."""
        events: list[Event] = []
        while self._line:
            head = self._line[0]
            if not head.opened and head.ready:
                head.opened = True
                self.kinds.add(head.start.kind)
                events.append(head.start)
            if head.opened and head.waiting:
                events.append(Delta("".join(head.waiting)))
                head.waiting.clear()
            if not head.done:
                break
            if head.opened:
                events += _end(head)
            self._line.popleft()
        self.live = self._line[0] if self._line and self._line[0].opened else None
        return events


def _end(block: Growing) -> list[Event]:
    events: list[Event] = []
    if block.start.kind is Kind.TOOL and not block.texts:
        events.append(Delta("{}"))
    if block.signature is not None:
        events.append(Sign(block.signature))
    return [*events, BlockEnd()]
