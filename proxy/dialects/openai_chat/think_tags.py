"""Parts the thoughts that some servers leave in the content, between <think> and </think>, from the answer.

`feed(text)` and `end()` return pairs of a kind and a text, whose texts joined are the content without the two tags.
A tag may be cut anywhere. It counts at the opening only, after blanks at most: a model that writes about the tag later
is not misread, and from then on nothing is held back. Mode "open" is for templates that put the opening tag into the
prompt: the answer then begins within thoughts.
"""

from typing import Final

from proxy.dialects.events import Kind

_OPENING: Final = "<think>"
_CLOSING: Final = "</think>"
_LONGEST_BLANKS: Final = 1024  # characters before the opening tag: templates put a line end there

Said = list[tuple[Kind, str]]


class ThinkSplitter:
    """mode: "tags" or "open"."""

    __slots__ = ("_at", "_held", "_open")

    def __init__(self, mode: str) -> None:
        self._open = mode == "open"
        self._at = "start"
        self._held = ""

    def feed(self, text: str) -> Said:
        if self._at == "answer":
            return [(Kind.TEXT, text)] if text else []
        text = self._held + text
        self._held = ""
        return self._feed_start(text) if self._at == "start" else self._feed_thoughts(text)

    def end(self) -> Said:
        """What was held back as the beginning of a tag, and is none."""
        kind = Kind.THINKING if self._at == "thoughts" else Kind.TEXT
        held, self._held = self._held, ""
        return [(kind, held)] if held else []

    def _feed_start(self, text: str) -> Said:
        bare = text.lstrip()
        if bare.startswith(_OPENING):
            self._at = "thoughts"
            return self._feed_thoughts(bare[len(_OPENING) :])
        if _OPENING.startswith(bare) and len(text) < _LONGEST_BLANKS:
            self._held = text
            return []
        if self._open:
            self._at = "thoughts"
            return self._feed_thoughts(text)
        self._at = "answer"
        return [(Kind.TEXT, text)]

    def _feed_thoughts(self, text: str) -> Said:
        thought, closing, answer = text.partition(_CLOSING)
        if closing:
            self._at = "answer"
        else:
            cut = len(text) - _count_beginning(text)
            thought, self._held = text[:cut], text[cut:]
        return [said for said in ((Kind.THINKING, thought), (Kind.TEXT, answer)) if said[1]]


def _count_beginning(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of the closing tag."""
    for size in range(min(len(_CLOSING) - 1, len(text)), 0, -1):
        if _CLOSING.startswith(text[-size:]):
            return size
    return 0
