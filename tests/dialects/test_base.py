"""A dialect's row: how a key is shown, how a refusal is put, what keeps a stream alive."""

import json

from proxy.dialects import raw
from proxy.dialects.base import BARE_KEEPALIVE, COMMENT_KEEPALIVE, Dialect, encode_error
from proxy.errors import Code
from proxy.wire.sse import Parser

BEARER = Dialect("x", "authorization", "Bearer ", raw.build_error)


def test_a_key_is_shown_where_the_provider_reads_it() -> None:
    assert BEARER.build_credential("k") == {"authorization": "Bearer k"}
    assert Dialect("x", "x-api-key", "", raw.build_error).build_credential("k") == {"x-api-key": "k"}


def test_a_row_says_only_what_is_not_usual() -> None:
    assert (BEARER.keepalive, BEARER.key_in_query, BEARER.request_id_header) == (
        COMMENT_KEEPALIVE,
        False,
        "x-request-id",
    )


def test_a_refusal_is_compact_json() -> None:
    body = encode_error(BEARER, Code.DNS, "req_1")
    assert json.loads(body) == raw.build_error(Code.DNS, "req_1")
    assert b", " not in body.replace(Code.DNS.message.encode(), b"")


def test_a_keepalive_is_no_event() -> None:
    for keepalive in (COMMENT_KEEPALIVE, BARE_KEEPALIVE):
        blocks = Parser().feed(keepalive + b"data: a\n\n")
        assert [block.data for block in blocks if block.data is not None] == [b"a"]
