"""Gathers what a conversation says while a dialect reads it, message by message, and gives the part of an `Ask` that
does not depend on how it was written.

The current turn is what comes after the last assistant message. What stands before it counts as read from the prompt
cache, so that cached counts can be seen to arrive; media and results count only when they are of this turn.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.demo.media import Media

_OPENING: Final = re.compile(r"\{")


@dataclass(slots=True)
class Talk:
    """Feed it in order, then ask for `fields`."""

    user_text: str = ""
    prompt: str = ""
    tokens: int = 0
    cached: int = 0
    after_result: bool = False
    media: list[Media] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)

    def add_system(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.instructions.append(text)
            self.tokens += count_tokens(text)
        self.cached = self.tokens

    def add_assistant(self, texts: Iterable[str]) -> None:
        self.tokens += count_tokens(*texts)
        self.cached = self.tokens
        self.media.clear()
        self.after_result = False

    def add_user(self, texts: Iterable[str], media: Iterable[Media] = ()) -> None:
        said = [text for text in texts if text]
        self.tokens += count_tokens(*said)
        self.media.extend(media)
        if said:
            self.user_text, self.prompt = " ".join(said), said[-1]

    def add_result(self, texts: Iterable[str], media: Iterable[Media] = ()) -> None:
        self.tokens += count_tokens(*texts)
        self.media.extend(media)
        self.after_result = True

    def fields(self) -> dict[str, Any]:
        """Of an `Ask`, by name."""
        return {
            "user_text": self.user_text,
            "prompt": self.prompt,
            "prompt_tokens": self.tokens,
            "cached_tokens": self.cached,
            "after_result": self.after_result,
            "media": tuple(self.media),
        }

    def says_json(self) -> bool:
        """Whether the word JSON stands anywhere, as OpenAI wants it for a JSON answer without a schema."""
        return any("json" in text.lower() for text in (*self.instructions, self.user_text))

    def find_schema(self) -> Mapping[str, Any]:
        """A JSON schema of an object in the instructions, as a model would follow it; {} when there is none."""
        for text in self.instructions:
            for match in _OPENING.finditer(text):
                try:
                    value, _ = json.JSONDecoder().raw_decode(text, match.start())
                except (ValueError, RecursionError):
                    continue
                if isinstance(value, dict) and isinstance(value.get("properties"), dict):
                    return value
        return {}


def count_tokens(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)
