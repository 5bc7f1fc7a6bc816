"""A text that must never be seen: keys of providers and header values that may hold one.

Printing, formatting, logging and `repr` give `***`; only `reveal()` gives the text, so a search for that
word finds every place where a secret leaves its wrapper. It does not travel: encoders do not know it and
pickling is refused.
"""

import hmac
from typing import Final, NoReturn

HIDDEN: Final = "***"


class Secret:
    """A text whose `str` and `repr` are `***`. Compared in constant time."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self._text), _bytes(other._text))

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
