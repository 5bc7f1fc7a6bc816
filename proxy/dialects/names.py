"""Tool names that a provider does not take, changed for the way there and back."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Final

Charset = Callable[[str], "re.Match[str] | None"]

OPENAI: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}").fullmatch
ANTHROPIC: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}").fullmatch
GEMINI: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}").fullmatch

_KEPT: Final = 55
_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_-]").sub


class NameMap:
    """Two-way. A name that fits stays; any other becomes legal characters and eight digits of its hash."""

    __slots__ = ("_back", "_there")

    def __init__(self, names: Iterable[str] = (), fits: Charset = OPENAI) -> None:
        self._there: dict[str, str] = {}
        self._back: dict[str, str] = {}
        for name in names:
            if not fits(name):
                short = _change(name)
                self._there[name] = short
                self._back[short] = name

    def there(self, name: str) -> str:
        """The provider's name of the client's `name`."""
        return self._there.get(name, name)

    def back(self, name: str) -> str:
        """The client's name of the provider's `name`."""
        return self._back.get(name, name)


def _change(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    legal = _ILLEGAL("_", name)[:_KEPT]
    return f"{legal if legal[:1].isalpha() else '_' + legal[: _KEPT - 1]}_{digest}"
