"""The configuration as the program sees it: frozen structs, every default once, with its reason beside it.

The annotations are data: loader, manual and JSON schema are made from them, so a new key is one line here.
`Leaf` says how a value is read and why its default is what it is, `Section` marks a table, `Named` a table
whose keys are chosen by the user. Durations are seconds and 0.0 means off, sizes are bytes. Nothing here
reads files or knows where a value came from.
"""

from typing import Annotated, Final

from msgspec import Struct, field

from proxy.config import kinds
from proxy.config.marks import Leaf, Named, Section
from proxy.config.secret import Secret
from proxy.config.syntax import check_header_name, check_mount_path, check_name

DIALECTS: Final = (
    "raw",
    "openai-chat",
    "openai-responses",
    "anthropic",
    "gemini",
    "glm",
    "openrouter",
    "code-assist",
)


class Server(Struct, frozen=True, kw_only=True):
    listen: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.ADDRESS,
            "Where callers connect: `host:port`, `[v6]:port` or `unix:/path`; `*:port` is every interface. A socket "
            "passed by systemd is used instead when there is one. Loopback, because nobody has to show a key until "
            "clients are configured.",
            many=True,
        ),
    ] = ("127.0.0.1:8088",)
    admin: Annotated[
        str,
        Leaf(
            kinds.ADDRESS_OR_OFF,
            'Where health checks are answered; `""` or `"off"` for nowhere. Loopback, because it is never meant for '
            "callers.",
        ),
    ] = "127.0.0.1:8089"
    via: Annotated[
        str,
        Leaf(
            kinds.PSEUDONYM,
            "The name to append to `Via` (RFC 9110 7.6.3) and to know a loop by. Empty, because requests pass as "
            "they came.",
        ),
    ] = ""


class Limits(Struct, frozen=True, kw_only=True):
    max_body: Annotated[
        int,
        Leaf(
            kinds.SIZE,
            "The longest request body; above it 413. Takes the largest request that Anthropic takes, 32 MB.",
        ),
    ] = 32 * 1024 * 1024
    connect: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Time for a connection upstream, name lookup and TLS included. Three lost SYN packets take 7 s.",
        ),
    ] = 10.0
    first_byte: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "Time from the request to the head of the answer. A stream sends its head before the model has thought; "
            "an answer in one piece may need more.",
        ),
    ] = 60.0
    idle: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "Longest silence of an answer that has begun. A model may think for minutes between two events, and not "
            "every provider sends keep-alives.",
        ),
    ] = 300.0
    write_stall: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "How long a caller may take nothing while data waits for it. A minute bridges a lost radio link, and "
            "frees the upstream connection after it.",
        ),
    ] = 60.0
    drain: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_ZERO,
            "Time for running streams to end after SIGTERM; 0 ends them at once. Under the 90 s after which systemd "
            "kills.",
        ),
    ] = 30.0
    head_timeout: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Time for a whole request head. A head fits in a few packets; who needs longer holds connections open "
            "on purpose.",
        ),
    ] = 10.0
    body_idle: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Longest pause between two reads of a request body. As `write_stall`, the other way.",
        ),
    ] = 30.0
    body_rate: Annotated[
        int,
        Leaf(
            kinds.SIZE_OR_ZERO,
            "Slowest request body in bytes per second, averaged over 30 s after a grace of 10 s; 0 for any. Slower "
            "than any modem, faster than a slow-body attack wants to be.",
        ),
    ] = 64
    streams: Annotated[
        int,
        Leaf(
            kinds.COUNT,
            "Requests in flight in the process; above it 503. At 25 KB for an open stream this is 250 MB, and two "
            "file descriptors each.",
        ),
    ] = 10_000
    request_target: Annotated[
        int,
        Leaf(kinds.SIZE, "The longest request target; above it 414. RFC 9112 3 asks for at least 8000 bytes."),
    ] = 8 * 1024
    request_head_field: Annotated[
        int,
        Leaf(
            kinds.SIZE,
            "The longest header field of a request; above it 431. Twice the usual 8 KiB, for tokens that carry claims.",
        ),
    ] = 16 * 1024
    request_head_fields: Annotated[
        int,
        Leaf(kinds.COUNT, "Header fields of a request; above it 431. Several times what an SDK sends."),
    ] = 128
    response_field: Annotated[
        int,
        Leaf(
            kinds.SIZE,
            "The longest header field of an answer; above it 502. Providers are configured, so more is trusted than "
            "from a caller.",
        ),
    ] = 64 * 1024
    response_fields: Annotated[
        int, Leaf(kinds.COUNT, "Header fields of an answer; above it 502. Twice what a request may have.")
    ] = 256


class Client(Struct, frozen=True, kw_only=True):
    key_sha256: Annotated[
        bytes,
        Leaf(
            kinds.DIGEST,
            "SHA-256 of the key, as `printf %s KEY | sha256sum` prints it: the file then holds no secret.",
            instead=("key", kinds.KEY_TO_DIGEST, "The key that this caller shows. Only its hash is kept."),
        ),
    ]

    def __repr__(self) -> str:
        return "Client(key_sha256=***)"  # the hash of a short key is as good as the key


class Account(Struct, frozen=True, kw_only=True):
    key: Annotated[Secret, Leaf(kinds.KEY, "The key that the provider gave. Sent the way the dialect wants it.")]


class Provider(Struct, frozen=True, kw_only=True):
    dialect: Annotated[
        str,
        Leaf(
            kinds.choice(*DIALECTS),
            "The format that the provider speaks; `raw` for an API that is none of the known ones.",
        ),
    ]
    base_url: Annotated[
        str,
        Leaf(
            kinds.BASE_URL,
            "What the vendor's own SDK takes: with the version for the OpenAI family, without it for Anthropic and "
            "Gemini.",
        ),
    ]
    headers: Annotated[
        dict[str, Secret],
        Named(
            check_header_name,
            "NAME",
            "Header fields that are added upstream; each replaces what the caller sent. Treated as secrets.",
            kind=kinds.HEADER_VALUE,
        ),
    ] = field(default_factory=dict)
    ca_file: Annotated[
        str,
        Leaf(
            kinds.FILE_NAME,
            "Certificates to trust instead of the system's, as PEM. Empty, because public providers need none.",
        ),
    ] = ""
    accounts: Annotated[
        dict[str, Account], Named(check_name, "ACCOUNT", "The keys that the provider may be used with.")
    ] = field(default_factory=dict)


class Mount(Struct, frozen=True, kw_only=True):
    provider: Annotated[str, Leaf(kinds.NAME, "The provider behind this path.")]
    auth: Annotated[
        str,
        Leaf(
            kinds.choice("key", "none", "pass"),
            "Who may call: `key` one of the clients, `none` anyone, `pass` whoever upstream takes, since the "
            "caller's own credential goes there. `key`, because the provider's key is spent.",
        ),
    ] = "key"
    heartbeat: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "After this much silence of an event stream a comment is written into it. Off, because a mount is "
            "byte-exact.",
        ),
    ] = 0.0
    open_to_all: Annotated[
        bool,
        Leaf(
            kinds.FLAG,
            'Confirms `auth = "none"` over a provider with accounts while a listener is not loopback. False, '
            "because then anyone who finds the port spends the keys.",
        ),
    ] = False


class Log(Struct, frozen=True, kw_only=True):
    format: Annotated[
        str,
        Leaf(
            kinds.choice("auto", "json", "logfmt", "text"),
            "How a line is written. `auto` is `text` when standard error is a terminal and `json` otherwise.",
        ),
    ] = "auto"
    level: Annotated[
        str,
        Leaf(
            kinds.choice("debug", "info", "warning", "error"),
            "The least important line that is written. `info` has one line per request.",
        ),
    ] = "info"


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration. The dictionaries keep the order of the files; nobody changes them."""

    server: Annotated[Server, Section("Where the proxy listens.")] = Server()
    limits: Annotated[Limits, Section("Times, sizes and counts that nothing may exceed.")] = Limits()
    clients: Annotated[
        dict[str, Client],
        Named(check_name, "CLIENT", "Who may call. Without any client only loopback may be listened on."),
    ] = field(default_factory=dict)
    providers: Annotated[
        dict[str, Provider], Named(check_name, "PROVIDER", "The APIs behind the proxy, each with its keys.")
    ] = field(default_factory=dict)
    mounts: Annotated[
        dict[str, Mount],
        Named(
            check_mount_path,
            '"/PATH"',
            "Paths that lead to a provider, byte for byte: what follows the path is put behind `base_url`. The "
            "longest path that fits wins.",
        ),
    ] = field(default_factory=dict)
    log: Annotated[Log, Section("What the program writes about itself, to standard error.")] = Log()
