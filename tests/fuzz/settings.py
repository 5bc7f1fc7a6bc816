"""What an operator writes and what stands in header fields, spoiled: configurations as text and as values, addresses,
limits, delays, targets."""

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from proxy.accounts.rate_headers import read_rates
from proxy.config.cautions import find_cautions
from proxy.config.describe import mask
from proxy.config.load import build_config, load
from proxy.config.lookup import ModelTable
from proxy.config.model import Config
from proxy.dialects.delays import LONGEST, find_delay
from proxy.edge.model_routes import find_route
from proxy.edge.peers import Peers
from proxy.errors import ConfigError
from proxy.wire.headers import Headers, filter_request, filter_response
from proxy.wire.hiding import hide_parameters
from proxy.wire.requests import Head, check_head, get_body_length, wants_continue
from proxy.wire.target import climbs_out, join_query, split_query, take_parameters
from tests.fuzz.answers import draw_fields
from tests.fuzz.bend import bend, draw_json, maybe, some, spoil

ROOT: Final = Path(__file__).parents[2]

# Configurations.

SECRET: Final = "c4n4ry-of-the-configuration"
_ENVIRON: Final = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ZAI_API_KEY"), SECRET) | {"A": "x"}
"""A comes to stand anywhere, also where what it holds is shown."""


@cache
def _list_configurations() -> tuple[str, ...]:
    paths = [
        ROOT / "docs/penstock.example.toml",
        *ROOT.glob("tests/config/*.toml"),
        *ROOT.glob("tests/config/samples/*.toml"),
    ]
    texts = [path.read_text(encoding="utf-8") for path in sorted(paths)]
    # what stands in comments is an example too
    return (*texts, *(text.replace("\n# ", "\n") for text in texts))


@cache
def _list_tables() -> tuple[Any, ...]:
    tables = []
    for text in _list_configurations():
        try:
            tables.append(json.loads(json.dumps(tomllib.loads(text), default=str)))
        except tomllib.TOMLDecodeError:
            continue
    return tuple(tables)


@dataclass(frozen=True, slots=True)
class Configured:
    """text: of a file; tables: as values."""

    text: bytes
    tables: Any


def draw_configuration(random: Random) -> Configured:
    if maybe(random, 0.5):
        tables = bend(random, random.choice(_list_tables()))
        return Configured(b"", tables if isinstance(tables, dict) else {"server": tables})
    text = random.choice(_list_configurations())
    lines = text.split("\n")
    for _ in range(some(random, 5)):
        at, other = random.randrange(len(lines)), random.choice(lines)
        kind = random.randrange(4)
        if kind == 0:
            lines.insert(at, other)
        elif kind == 1:
            del lines[at : at + 1]
            lines = lines or [""]
        elif kind == 2:
            name, equals, _ = lines[at].partition("=")
            lines[at] = name + equals + other.partition("=")[2]
        else:
            lines[at] = spoil(random, lines[at].encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    return Configured("\n".join(lines).encode("utf-8", "surrogateescape"), None)


_FOLDER: Final = TemporaryDirectory()


def check_configuration(configured: Configured) -> None:
    """A configuration that can be shown and used, or a ConfigError with places, in which no secret is seen."""
    config = _read_configuration(configured)
    if isinstance(config, ConfigError):
        assert config.faults
        assert SECRET not in str(config)
        assert str(config).encode()
        return
    json.dumps(mask(config))
    assert all(place and message for place, message in find_cautions(config))
    table = ModelTable(config)
    for name in ("gpt-5", "fast", "claude-x", "", "a/b", "*", "\ud800"):
        table.find(name)
        table.suggest(name)


def _read_configuration(configured: Configured) -> Config | ConfigError:
    try:
        if configured.tables is not None:
            return build_config([("file", configured.tables)], _ENVIRON)
        path = Path(_FOLDER.name) / "penstock.toml"
        path.write_bytes(configured.text)
        return load([path], _ENVIRON)
    except ConfigError as error:
        return error


# Header fields.


@dataclass(frozen=True, slots=True)
class Fields:
    headers: Headers
    value: Any
    target: str


_NAMES: Final = (
    b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Via", b"X-Forwarded-For", b"TE",
    b"Upgrade", b"Keep-Alive", b"Authorization", b"x-api-key", b"Cookie", b"Content-Type", b"Accept", b"Max-Forwards",
    b"X-\xff",
)  # fmt: skip
_FIELD_VALUES: Final = (
    b"a", b"", b"close, X-A", b"keep-alive, ,, host", b"chunked", b"gzip, chunked", b",chunked", b"3",
    b"100-continue", b"1.1 penstock", b"1.1 a (c), 1.0 b", b"[::1]:80", b"a b", b"10.0.0.1, 127.0.0.1",
    b"::ffff:1.2.3.4, [2001:db8::1]:443", b"127.0.0.1:99999, 1.2.3.4%eth0", b"unknown, _hidden",
    b"1.2.3.4" + b", 127.0.0.1" * 400, b"Bearer x", b"fe80::1%lo",
)  # fmt: skip
_TARGETS: Final = (
    "/v1/chat/completions", "/v1beta/models/a:streamGenerateContent?alt=sse&key=x", "/a/../b", "/%2e%2e/%2f", "/%",
    "/?", "//", "/v1/models/%ff%fe", "/v1/models/a%2Fb?key=%zz&key", "/up/x?api_key=1&q=2", "/api/chat/x/stream", "*",
    "/v1/v1/messages", "/v1beta1/projects/p/locations/l/publishers/google/models/m:countTokens", "/..;/..%5c%2e%2e",
    "/x?" + "a=b&" * 300,
)  # fmt: skip


def draw_head(random: Random) -> Fields:
    pairs = []
    for _ in range(some(random, 8)):
        value = random.choice(_FIELD_VALUES)
        pairs.append((random.choice(_NAMES), spoil(random, value) if maybe(random, 0.3) else value))
    target = random.choice(_TARGETS)
    if maybe(random, 0.5):
        target = spoil(random, target.encode()).decode("latin-1")
    rates = draw_fields(random).raw
    return Fields(Headers((*pairs, *rates)), bend(random, draw_json(random)), target)


_PEERS: Final = Peers(["127.0.0.0/8", "::1/128", "unix"])


def check_head_fields(fields: Fields) -> None:
    headers, target = fields.headers, fields.target
    head = Head("GET", target, (1, 1), headers)
    code = check_head(head, b"penstock")
    wants_continue(head)
    if code is None and all(value.isdigit() for value in headers.get_all(b"content-length")):
        get_body_length(headers)
    names = {name for name, _ in filter_request(headers, frozenset())}
    assert not names & {b"connection", b"host", b"content-length", b"transfer-encoding"}
    filter_response(headers)
    path, query = split_query(target)
    assert join_query(path, query) == target
    climbs_out(path)
    find_route("POST", path, query, headers)
    assert "".join(take_parameters(query or "", "no-such-name")[1] or "") == (query or "")
    hide_parameters(target)
    remote = _PEERS.find_remote(("127.0.0.1", 1), headers)
    assert remote.isascii()
    assert remote.isprintable()
    for rate in read_rates(headers, 1.7e9).rates:
        assert rate.remaining >= 0
        assert rate.reset is None or rate.reset <= 1.7e9 + LONGEST
    delay = find_delay(headers, fields.value)
    assert delay is None or 0 <= delay <= LONGEST
