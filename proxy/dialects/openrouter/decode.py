"""OpenRouter's stream to events: OpenAI's, with the reasoning twice.

`reasoning` is there to be read, `reasoning_details` to be sent back (openrouter.ai/docs/use-cases/reasoning-tokens).
Where the details have text it is taken from them, item by item, and else from `reasoning`; never from both. Fragments
with the same index and type are one item; an item without its text is the signature of its block, encrypted data that
of the call whose id it has, or a block that only its issuer reads.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Kind, Sign
from proxy.dialects.openai_chat.chunks import Delta
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_chat.details import keep_item
from proxy.dialects.parts import Json

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.flavour import Flavour

_TEXTS: Final = {"reasoning.text": "text", "reasoning.summary": "summary"}
_ENCRYPTED: Final = "reasoning.encrypted"
_OF_CALLS: Final = "google-gemini-v1"
"""The format whose encrypted items have the ids of calls: a thought signature stands on a call."""

Item = dict[str, Json]


class RouterDecoder(ChatDecoder):
    """One stream. `_item`: the readable item under way, of the open block; `_plain`: what `reasoning` alone has said of
    it; `_sealed`: encrypted items that are not yet said, by index and id, since their data may come in pieces."""

    def __init__(self, turn: Turn, flavour: "Flavour") -> None:
        super().__init__(turn, flavour)
        self._item: Item = {}
        self._plain: list[str] = []
        self._sealed: dict[tuple[Json, ...], Item] = {}

    def _take_delta(self, delta: Delta) -> None:
        details = delta.reasoning_details
        text = "".join(map(_find_text, details)) if isinstance(details, list) else ""
        plain = delta.reasoning or delta.reasoning_content
        if text and not plain and self._plain and text == "".join(self._plain):
            # A proxy like this one, which tells the whole item at its end.
            delta.reasoning_details = [_strip_text(detail) for detail in details]
            self._plain = []
        elif text:
            plain = delta.reasoning = delta.reasoning_content = None
        super()._take_delta(delta)
        if isinstance(plain, str) and (self._kind is Kind.THINKING or self._waiting):
            self._plain.append(plain)

    def take_details(self, details: Sequence[Json], shown: str) -> None:
        for detail in details:
            if not isinstance(detail, dict):
                continue
            kind = detail.get("type")
            if kind == _ENCRYPTED:
                self._take_sealed(detail)
            elif isinstance(kind, str) and kind in _TEXTS:
                self._take_readable(detail, shown)

    def _take_readable(self, detail: Item, shown: str) -> None:
        """shown: its text, if it is going to be said by itself."""
        if self._item and _key(self._item) != _key(detail):
            if self._kind is Kind.THINKING:
                self._close()
            self._item = {}
        text = _find_text(detail)
        self.say(Kind.THINKING, text)
        self._item.update({name: value for name, value in detail.items() if value not in (None, "")})
        if detail.get("signature") and not text and not shown:
            self.sign(keep_item(self._item))
            self._item.pop("signature", None)  # of an open text the signature has ended the item

    def _take_sealed(self, detail: Item) -> None:
        data, name = detail.get("data"), detail.get("id")
        if not isinstance(data, str):
            return
        key = tuple(json if isinstance(json, str | int) else None for json in (detail.get("index"), name))
        item = self._sealed.get(key, {})
        item = {**item, **detail, "data": item.get("data", "") + data}
        self._sealed[key] = item
        if item.get("format") == _OF_CALLS and isinstance(name, str) and item["data"]:
            self.tools.signatures[name] = keep_item(item)

    def _close(self) -> None:
        """An open thought is signed by its item, whole by now; what is encrypted comes between blocks."""
        if self._kind is Kind.THINKING:
            if self._item and not self._signed:
                self.out.append(Sign(keep_item(self._item)))
            self._item = {}
            self._plain = []
        super()._close()
        if not self.tools.active:
            self._say_sealed()

    def _say_sealed(self) -> None:
        sealed, self._sealed = self._sealed, {}
        for item in sealed.values():
            if item["data"] and not (item.get("format") == _OF_CALLS and isinstance(item.get("id"), str)):
                self.out += (BlockStart(Kind.REDACTED, signature=keep_item(item)), BlockEnd())


def _key(item: Item) -> tuple[Json, Json]:
    return item.get("index"), item.get("type")


def _strip_text(detail: Json) -> Json:
    if not isinstance(detail, dict):
        return detail
    return {name: value for name, value in detail.items() if name not in _TEXTS.values()}


def _find_text(detail: Json) -> str:
    """The readable text of a detail, "" for none."""
    if not isinstance(detail, dict):
        return ""
    kind = detail.get("type")
    text = detail.get(_TEXTS[kind]) if isinstance(kind, str) and kind in _TEXTS else None
    return text if isinstance(text, str) else ""
