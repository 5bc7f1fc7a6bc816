"""Reads what models can take: the rows of `capabilities.toml`, or of the same table in a configuration.

A row is a pattern of model names and some fields of `Capabilities`. Bytes or a decoded table go in, rows for
`find_capabilities` come out, their values in the types of the fields. Whatever is wrong is a ValueError that names the
row and the field. No file is opened here.
"""

import tomllib
from collections.abc import Callable, Mapping
from typing import Final, get_args, get_type_hints

from proxy.dialects.capabilities import Capabilities, Row
from proxy.dialects.parts import Effort

_MOST_TOKENS: Final = 100_000_000
_EFFORTS: Final = {effort.value: effort for effort in Effort}
_THINKING: Final = get_args(get_type_hints(Capabilities)["thinking"])


def parse_rows(data: bytes) -> list[Row]:
    """The rows of a TOML file: a table by each pattern. Raises ValueError."""
    try:
        table = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ValueError("capabilities: not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"capabilities: {error}") from None
    return build_rows(table)


def build_rows(table: Mapping[str, object]) -> list[Row]:
    """The rows of a decoded table. Raises ValueError."""
    return [_build_row(pattern, values) for pattern, values in table.items()]


def _build_row(pattern: str, values: object) -> Row:
    if not pattern:
        raise ValueError("capabilities: a row without a pattern")
    if not isinstance(values, dict):
        raise ValueError(f'capabilities "{pattern}": must be a table')
    row: dict[str, object] = {}
    for name, value in values.items():
        read = _READERS.get(name)
        if read is None:
            raise ValueError(f'capabilities "{pattern}": unknown field {name}')
        try:
            row[name] = read(value)
        except ValueError as error:
            raise ValueError(f'capabilities "{pattern}": {name} {error}') from None
    return pattern, row


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _read_tokens(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MOST_TOKENS:
        raise ValueError("must be a number of tokens")
    return value


def _read_tokens_or_zero(value: object) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _read_tokens(value)


def _read_family(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a word")
    return value


def _read_thinking(value: object) -> str:
    if value not in _THINKING:
        raise ValueError(f"must be one of {', '.join(_THINKING)}")
    return str(value)


def _read_efforts(value: object) -> tuple[Effort, ...]:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(word, str) and word in _EFFORTS for word in value)
    ):
        raise ValueError(f"must be a list of {', '.join(_EFFORTS)}")
    wanted = [_EFFORTS[word] for word in value]
    return tuple(effort for effort in Effort if effort in wanted)


def _read_budget(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("must be the least and the most tokens")
    low = _read_tokens_or_zero(value[0])
    high = _read_tokens(value[1])
    if low > high:
        raise ValueError("must have the smaller number first")
    return low, high


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "family": _read_family,
    "thinking": _read_thinking,
    "efforts": _read_efforts,
    "budget": _read_budget,
    "output": _read_tokens,
    "context": _read_tokens_or_zero,
    "off": _read_flag,
    "sampling": _read_flag,
    "both": _read_flag,
    "prefill": _read_flag,
    "images": _read_flag,
    "json_tools": _read_flag,
    "json_schema": _read_flag,
    "signed_calls": _read_flag,
}
