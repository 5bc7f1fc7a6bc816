"""Arguments of a call that come in pieces (Vertex, `streamFunctionCallArguments`), put together.

Each piece names a place (`$.operations[0].name`) and holds a value; strings of one place are appended to each other.
What cannot be placed is left out; nothing raises, and no index makes a list longer than the pieces that filled it.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json

_STEP: Final = re.compile(
    r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]{1,6})\]|\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]"""
)
_VALUES: Final = ("numberValue", "boolValue", "structValue", "listValue")

Step = str | int


class PartialArguments:
    """`feed` every `partialArgs`, then `build` the JSON text of the object."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: dict[str, Json] = {}

    def feed(self, pieces: list[dict[str, Json]]) -> None:
        for piece in pieces:
            path = piece.get("jsonPath")
            steps = parse_path(path) if isinstance(path, str) else []
            if steps and isinstance(steps[0], str):
                self._put(steps, piece)

    def build(self) -> str:
        return encode_json(self._root).decode()

    def _put(self, steps: list[Step], piece: Mapping[str, Json]) -> None:
        place: Json = self._root
        for step, following in pairwise(steps):
            inner = _get(place, step)
            if not isinstance(inner, list if isinstance(following, int) else dict):
                inner = [] if isinstance(following, int) else {}
                if not _set(place, step, inner):
                    return
            place = inner
        last = steps[-1]
        if "stringValue" in piece:
            before = _get(place, last)
            _set(place, last, (before if isinstance(before, str) else "") + str(piece["stringValue"]))
        else:
            _set(place, last, next((piece[name] for name in _VALUES if name in piece), None))


def parse_path(path: str) -> list[Step]:
    """The steps of a JSON path; none for one that is not understood."""
    return list(_iterate_steps(path)) if path.startswith("$") and _whole(path) else []


def _whole(path: str) -> bool:
    return _STEP.sub("", path) == "$"


def _iterate_steps(path: str) -> Iterator[Step]:
    for match in _STEP.finditer(path):
        if match["index"] is not None:
            yield int(match["index"])
        else:
            yield match["name"] if match["name"] is not None else match["key"]


def _get(place: Json, step: Step) -> Json:
    if isinstance(place, dict):
        return place.get(step)
    if isinstance(place, list) and isinstance(step, int) and step < len(place):
        return place[step]
    return None


def _set(place: Json, step: Step, value: Json) -> bool:
    """Whether it could be done."""
    if isinstance(place, list) and step == len(place):
        place.append(value)
        return True
    fits = isinstance(step, str) if isinstance(place, dict) else isinstance(step, int) and step < len(place)
    if fits:
        place[step] = value
    return fits
