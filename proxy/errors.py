"""The error tree of the project: data in fields, text in `__str__`, never a secret in either.

Everything that is raised on purpose derives from `PenstockError`. Foreign exceptions are mapped once, where they enter.

- PenstockError
  - ConfigError: the configuration cannot be used; holds every fault found
  - Refused: the proxy itself answers a request, with a Code
  - UpstreamFault: an upstream could not be reached, or broke off; its Code says how
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum


class PenstockError(Exception):
    """Root of everything that is raised on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a configuration.

    file: the file, or the environment variable, that the value came from. place: the dotted key, quoted as TOML wants
    it; empty when the fault is the whole file's. line, column: counted from 1, known for TOML syntax errors only.
    """

    file: str
    place: str
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        position = "" if self.line is None else f"line {self.line}, column {self.column}"
        return ": ".join(part for part in (self.file, self.place, position, self.message) if part)


class ConfigError(PenstockError):
    """The configuration cannot be used. `faults` holds all that were found, in the order of the model."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "invalid configuration:" + "".join(f"\n  {fault}" for fault in self.faults)


class Code(Enum):
    """Every answer of the proxy's own: status, machine-readable code, constant text.

    Constant, because an answer that quotes its request quotes whatever somebody hid in it.
    """

    BAD_REQUEST = (400, "bad_request", "The request is malformed.")
    TARGET = (400, "bad_target", "The request target is not one that this server forwards.")
    BODY = (400, "bad_body", "The request body is malformed.")
    UNAUTHORIZED = (401, "unauthorized", "A valid key is required.")
    FORBIDDEN = (403, "forbidden", "This key may not do that.")
    FOREIGN_ORIGIN = (
        403, "foreign_origin",
        "Pages of this origin may not ask without a key: name it in [server] cors, or configure [clients].",
    )  # fmt: skip
    NOT_FOUND = (404, "not_found", "Nothing is mounted at this path.")
    METHOD = (405, "method_not_allowed", "This method is not allowed.")
    REQUEST_TIMEOUT = (408, "request_timeout", "The request did not arrive in time.")
    BODY_TOO_LARGE = (413, "body_too_large", "The request body is larger than this server accepts.")
    TARGET_TOO_LONG = (414, "target_too_long", "The request target is longer than this server accepts.")
    UPGRADE = (426, "upgrade_required", "This endpoint speaks HTTP/1.1 only; send a POST.")
    EXPECTATION = (417, "expectation_failed", "Only the expectation 100-continue can be met.")
    HEADERS_TOO_LARGE = (431, "headers_too_large", "The request header fields are larger than this server accepts.")
    INTERNAL = (500, "internal", "The server failed to handle the request.")
    NOT_IMPLEMENTED = (501, "not_implemented", "This transfer coding is not implemented.")
    VERSION = (505, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are supported.")
    LOOP = (508, "loop_detected", "The request has passed through this server before.")

    REFUSED = (502, "upstream_refused", "The upstream refused the connection.")
    DNS = (502, "upstream_dns", "The upstream's name could not be resolved.")
    TLS = (502, "upstream_tls", "No trusted TLS connection to the upstream could be made.")
    UNREACHABLE = (502, "upstream_unreachable", "The upstream could not be reached.")
    GUARDED = (502, "upstream_address", "The upstream's name leads to an address that is not connected to.")
    CUT = (502, "upstream_cut", "The upstream closed the connection before it had answered.")
    PROTOCOL = (502, "upstream_protocol", "The upstream's answer is not valid HTTP.")
    PROXY = (502, "upstream_proxy", "The proxy on the way to the upstream could not be used.")
    TOKEN = (502, "upstream_token", "No token for the upstream could be had.")
    ANSWER_TOO_LARGE = (502, "upstream_too_large", "The upstream's answer is larger than this server takes.")
    COOLING = (429, "accounts_cooling", "Every account for this upstream is at its limit.")
    CLIENT_STREAMS = (429, "client_max_streams", "This key has as many requests in flight as it may have.")
    CLIENT_REQUESTS = (429, "client_rpm", "This key has made as many requests as it may make in a minute.")
    CLIENT_TOKENS = (429, "client_tpm", "This key has used as many tokens as it may use in a minute.")
    CLIENT_TOKENS_PER_DAY = (429, "client_tokens_per_day", "This key has used up its tokens of the day.")
    CLIENT_COST_PER_DAY = (429, "client_cost_per_day", "This key has used up its budget of the day.")
    DESCRIPTORS = (503, "out_of_descriptors", "The server is at its limit of open files.")
    UNUSABLE = (503, "accounts_unusable", "No account for this upstream can be used.")
    CONNECTIONS = (503, "too_many_connections", "The server is at its limit of connections.")
    MEMORY = (503, "out_of_memory", "The server is at its limit of memory.")
    BUSY = (503, "too_many_streams", "The server is at its limit of requests in flight.")
    DRAINING = (503, "draining", "The server is shutting down.")
    CONNECT_TIMEOUT = (504, "connect_timeout", "The upstream did not accept a connection in time.")
    FIRST_BYTE_TIMEOUT = (504, "first_byte_timeout", "The upstream did not begin to answer in time.")
    TTFT_TIMEOUT = (504, "ttft_timeout", "The upstream's answer had no content in time.")
    IDLE_TIMEOUT = (504, "idle_timeout", "The upstream was silent for too long within its answer.")

    def __init__(self, status: int, slug: str, message: str) -> None:
        self.status = status
        self.slug = slug
        self.message = message


@dataclass(slots=True)
class Refused(PenstockError):
    """The proxy's own answer to a request. `headers` go out with it; `close` ends the connection after it."""

    code: Code
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False

    def __str__(self) -> str:
        return self.code.slug


@dataclass(slots=True)
class UpstreamFault(PenstockError):
    """An upstream failed. `detail` names the class of the cause and its errno, never an address or a header. `stale`: a
    connection that had served before was closed under the request, and not a byte of an answer had come: most likely
    the upstream had never read it (RFC 9112 9.3.1), and it can be asked again at once."""

    code: Code
    detail: str = ""
    stale: bool = False

    def __str__(self) -> str:
        return f"{self.code.slug} ({self.detail})" if self.detail else self.code.slug
