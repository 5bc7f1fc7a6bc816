"""What the proxy has to know of a wire dialect, whoever speaks it: a row of data and two builders.

A Dialect says how a key is shown to a provider, in what form the proxy's own refusals are put so that the dialect's
SDKs can read them, and which line keeps an idle event stream alive without harming their parsers.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.errors import Code

ErrorBuilder = Callable[[Code, str], dict[str, object]]
"""(code, request id) to the JSON body of a refusal."""

COMMENT_KEEPALIVE: Final = b": keepalive\n"
"""A comment line with one LF: no blank line, since openai-python ends an event at one even without data."""

BARE_KEEPALIVE: Final = b"\n"
"""A lone LF: google-genai's parsers fail on comments and skip blank lines."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """name: as in the configuration. key_header, key_prefix: where a provider reads its key. key_in_query: `?key=`
    is a credential in this dialect. request_id_header: what its SDKs show as the request's id."""

    name: str
    key_header: str
    key_prefix: str
    build_error: ErrorBuilder
    keepalive: bytes = COMMENT_KEEPALIVE
    key_in_query: bool = False
    request_id_header: str = "x-request-id"

    def build_credential(self, key: str) -> Mapping[str, str]:
        """The header fields that show `key` to a provider."""
        return {self.key_header: self.key_prefix + key}


def encode_error(dialect: Dialect, code: Code, request_id: str) -> bytes:
    """The body of a refusal, as UTF-8 JSON."""
    return json.dumps(dialect.build_error(code, request_id), separators=(",", ":")).encode()
