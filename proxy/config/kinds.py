"""The kinds of leaf values that the model's fields have.

Each is a `Kind`: reading it takes one TOML value and raises `ValueError` whose message never repeats the value. Truth
values may be given as text too, since a placeholder can only give text.
"""

import os
from typing import Final

from proxy.config import syntax
from proxy.config.address import parse_address, parse_network
from proxy.config.kind import PLACEHOLDER, Kind, Schema, number, whole
from proxy.config.secret import HIDDEN, Secret
from proxy.config.units import (
    DURATION_UNITS,
    SIZE_UNITS,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

MAX_COUNT: Final = 10**9  # above every limit of a process; more is a slip

MAX_TOKENS: Final = 10**8  # a hundred times the largest context of today

MAX_DAY: Final = 10**12  # tokens of one day; a thousand streams of a hundred tokens a second make a hundredth of it

MAX_RING: Final = 1000  # streams kept whole in memory

MAX_AMOUNT: Final = 10**9  # of money; more is a slip


def _write_hidden(_: object) -> str:
    return HIDDEN


def _write_hidden_or_none(secret: Secret) -> str:
    return HIDDEN if secret.reveal() else ""


def _write_duration_or_off(seconds: float) -> str:
    return format_duration(seconds) if seconds else "off"


def _read_duration(value: str | float) -> float:
    seconds = parse_duration(value)
    if not seconds:
        raise ValueError("it cannot be 0, and it cannot be switched off")
    return seconds


def _read_duration_or_off(value: str | float) -> float:
    return 0.0 if value == "off" else parse_duration(value)


def _read_size(value: str | int) -> int:
    size = parse_size(value)
    if not size:
        raise ValueError("it cannot be 0")
    return size


def _read_hedge(value: str | float) -> str | float:
    return value if value == "p95" else _read_duration_or_off(value)


def _write_hedge(value: str | float) -> str:
    return value if isinstance(value, str) else _write_duration_or_off(value)


def _read_flag(value: str | bool) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise ValueError("neither true nor false")
    return value == "true"


def _read_address(value: str) -> str:
    parse_address(value)
    return value


def _read_address_or_off(value: str) -> str:
    return "" if value in ("", "off") else _read_address(value)


def _read_network(value: str) -> str:
    return str(parse_network(value))


def _read_peer(value: str) -> str:
    return value if value == "unix" else _read_network(value)


def _read_file_name(value: str) -> str:
    if value and not os.path.isfile(value):  # Path.is_file raises where access is denied
        raise ValueError("no such file, or it may not be looked at")
    return value


def _read_path_or_default(value: str) -> str:
    return value and _read_path(value)


def _read_path(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("not a path")
    return value


_DURATION_SCHEMA: Final[Schema] = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)?({'|'.join(DURATION_UNITS)})?$"},
        PLACEHOLDER,
    ]
}
_SIZE_SCHEMA: Final[Schema] = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": f"^[0-9]+({'|'.join(SIZE_UNITS)})?$"},
        PLACEHOLDER,
    ]
}
_TEXT_SCHEMA: Final[Schema] = {"type": "string"}
_NUMBER: Final = (str, int, float)
_WHOLE: Final = (str, int)

DURATION: Final = Kind(
    name="duration",
    read=_read_duration,
    schema=_DURATION_SCHEMA,
    types=_NUMBER,
    write=format_duration,
    blank=0.0,
)
DURATION_OR_ZERO: Final = Kind(
    name="duration, may be 0",
    read=parse_duration,
    schema=_DURATION_SCHEMA,
    types=_NUMBER,
    write=format_duration,
    blank=0.0,
)
DURATION_OR_OFF: Final = Kind(
    name='duration, 0 or "off"',
    read=_read_duration_or_off,
    schema={"anyOf": [{"const": "off"}, *_DURATION_SCHEMA["anyOf"]]},
    types=_NUMBER,
    write=_write_duration_or_off,
    blank=0.0,
)
HEDGE: Final = Kind(
    name='duration, "p95", 0 or "off"',
    read=_read_hedge,
    schema={"anyOf": [{"enum": ["off", "p95"]}, *_DURATION_SCHEMA["anyOf"]]},
    types=_NUMBER,
    write=_write_hedge,
    blank=0.0,
)
SIZE: Final = Kind(name="size", read=_read_size, schema=_SIZE_SCHEMA, types=_WHOLE, write=format_size, blank=0)
SIZE_OR_ZERO: Final = Kind(
    name="size, may be 0", read=parse_size, schema=_SIZE_SCHEMA, types=_WHOLE, write=format_size, blank=0
)
COUNT: Final = whole(1, MAX_COUNT)
COUNT_OR_ZERO: Final = whole(0, MAX_COUNT)
TOKENS: Final = whole(1, MAX_TOKENS)
TOKENS_OR_ZERO: Final = whole(0, MAX_TOKENS)
DAY: Final = whole(0, MAX_DAY)
RING: Final = whole(0, MAX_RING)
AMOUNT: Final = number(MAX_AMOUNT, "number, may be 0")
SHARE: Final = number(1, "number from 0 to 1")
FLAG: Final = Kind(
    name="true or false",
    read=_read_flag,
    schema={"anyOf": [{"type": "boolean"}, PLACEHOLDER]},
    types=(str, bool),
    blank=False,
)
ADDRESS: Final = Kind(name="address", read=_read_address, schema=_TEXT_SCHEMA)
ADDRESS_OR_OFF: Final = Kind(name='address or "off"', read=_read_address_or_off, schema=_TEXT_SCHEMA)
NETWORK: Final = Kind(name="address or network", read=_read_network, schema=_TEXT_SCHEMA)
PEER: Final = Kind(name='address, network or "unix"', read=_read_peer, schema=_TEXT_SCHEMA)
PSEUDONYM: Final = Kind(name="text", read=syntax.check_pseudonym, schema=_TEXT_SCHEMA)
NAME: Final = Kind(name="name", read=syntax.check_name, schema=_TEXT_SCHEMA)
FILE_NAME: Final = Kind(name="path of a file", read=_read_file_name, schema=_TEXT_SCHEMA, is_path=True)
DATA_FILE: Final = Kind(name="path of a file", read=_read_path_or_default, schema=_TEXT_SCHEMA, is_path=True)
DIRECTORY: Final = Kind(name="path of a directory", read=_read_path_or_default, schema=_TEXT_SCHEMA, is_path=True)
# Another program makes it, perhaps later than the proxy starts.
FUTURE_FILE: Final = Kind(name="path of a file", read=_read_path, schema=_TEXT_SCHEMA, is_path=True)
ORIGIN: Final = Kind(name="origin", read=syntax.check_origin, schema=_TEXT_SCHEMA)
PATTERN: Final = Kind(name="name or pattern", read=syntax.check_pattern, schema=_TEXT_SCHEMA)
TARGET: Final = Kind(name="provider/model", read=syntax.check_target, schema=_TEXT_SCHEMA)
RULE: Final = Kind(name="rule", read=syntax.check_rule, schema=_TEXT_SCHEMA)
PARAMETER: Final = Kind(name="name of a parameter", read=syntax.check_parameter, schema=_TEXT_SCHEMA)
PROJECT: Final = Kind(name="text", read=syntax.check_project, schema=_TEXT_SCHEMA)
# Some servers take keys in it.
QUERY: Final = Kind(name="query", read=syntax.check_query, schema=_TEXT_SCHEMA, sensitive=True)
ARGUMENT: Final = Kind(
    name="text, secret",
    read=syntax.check_argument,
    schema=_TEXT_SCHEMA,
    write=_write_hidden,
    blank=None,
    sensitive=True,
)
# A password is often written into a URL, or into a query behind it.
BASE_URL: Final = Kind(name="URL", read=syntax.check_base_url, schema=_TEXT_SCHEMA, sensitive=True)
PROXY: Final = Kind(
    name="URL, secret",
    read=syntax.check_proxy,
    schema=_TEXT_SCHEMA,
    write=syntax.mask_proxy,
    blank=Secret(""),
    sensitive=True,
)
KEY: Final = Kind(
    name="text, secret", read=syntax.check_key, schema=_TEXT_SCHEMA, write=_write_hidden, blank=None, sensitive=True
)
KEY_OR_NONE: Final = Kind(
    name="text, secret",
    read=syntax.check_key_or_none,
    schema=_TEXT_SCHEMA,
    write=_write_hidden_or_none,
    blank=Secret(""),
    sensitive=True,
)
KEY_TO_DIGEST: Final = Kind(
    name="text, secret", read=syntax.hash_key, schema=_TEXT_SCHEMA, write=_write_hidden, blank=b"", sensitive=True
)
DIGEST: Final = Kind(
    name="64 hexadecimal digits",
    read=syntax.check_sha256,
    schema={"type": "string", "pattern": r"^[0-9A-Fa-f]{64}$|\$"},
    write=_write_hidden,
    blank=b"",
    sensitive=True,
)
HEADER_VALUE: Final = Kind(
    name="text, secret", read=syntax.check_header_value, schema=_TEXT_SCHEMA, write=_write_hidden, sensitive=True
)
