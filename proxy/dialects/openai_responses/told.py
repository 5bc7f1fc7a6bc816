"""What a client of the Responses API was told by somebody else of an answer that an `Encoder` has to go on with.

`read_told` takes the data of events, the last one last, and never raises. Ids, places and numbers in later events have
to be those of the earlier ones: the SDK puts the answer together by them, and Codex keeps every item that is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from proxy.dialects.events import Start
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.parts import Json

_PLACED: Final = ("response.content_part.added", "response.output_text.delta", "response.output_text.done")
_MEMBERS: Final = ("id", "type", "status", "role", "content")
_PLACES: Final = 1000
"""Items or parts of an answer; a place beyond is taken for an error, and for the first one."""


@dataclass(slots=True)
class Told:
    """start: id and model of the response. item_id, index, part: where the text stands. number: of the next event.
    begun, items: items as they began, and those that are done, by place. parted: the part of the text has ended."""

    start: Start = field(default_factory=Start)
    created: int | None = None
    item_id: str = ""
    index: int = 0
    part: int = 0
    number: int = 0
    begun: dict[int, dict[str, Json]] = field(default_factory=dict)
    items: dict[int, bytes] = field(default_factory=dict)
    parted: bool = False

    @property
    def done(self) -> bool:
        """The item of the text is."""
        return self.index in self.items

    @property
    def members(self) -> dict[str, Json]:
        """What the item of the text has beside what every message has: `phase`, by which Codex tells the last one."""
        return {name: value for name, value in self.begun.get(self.index, {}).items() if name not in _MEMBERS}


def read_told(events: Sequence[bytes]) -> Told:
    told = Told()
    for data in events:
        try:
            value = decode_json(data)
        except ValueError:
            continue
        if isinstance(value, dict):
            _note(told, value)
    return told


def _note(told: Told, value: dict[str, Json]) -> None:
    number = value.get("sequence_number")
    if isinstance(number, int):
        told.number = number + 1
    kind, response, item = value.get("type"), value.get("response"), value.get("item")
    if isinstance(response, dict):
        told.start = Start(_text(response, "id"), _text(response, "model"))
        created = response.get("created_at")
        told.created = created if isinstance(created, int) else None
    elif kind in _PLACED and not told.item_id and _is_text(value):
        told.item_id, told.index, told.part = (
            _text(value, "item_id"), _count(value, "output_index"), _count(value, "content_index")
        )  # fmt: skip
    elif kind == "response.output_item.added" and isinstance(item, dict):
        told.begun[_count(value, "output_index")] = item
    elif kind == "response.output_item.done" and isinstance(item, dict):
        told.items[_count(value, "output_index")] = encode_json(item)
    elif kind == "response.content_part.done" and value.get("item_id") == told.item_id:
        told.parted = True


def _is_text(value: dict[str, Json]) -> bool:
    """Reasoning has content parts too."""
    part = value.get("part")
    return not isinstance(part, dict) or part.get("type") == "output_text"


def _text(value: dict[str, Json], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _count(value: dict[str, Json], name: str) -> int:
    count = value.get(name)
    return count if isinstance(count, int) and 0 <= count < _PLACES else 0
