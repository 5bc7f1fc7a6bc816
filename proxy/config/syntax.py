"""The small grammars of configuration values: names, mount paths, base URLs, header fields, keys.

Each `check_` takes a text and returns it, perhaps in its canonical form, or raises `ValueError` with a
message that says what is wrong and never repeats the text: most of these may be, or be mistaken for, a
place to put a secret.
"""

import re
from hashlib import sha256
from typing import Final

from proxy.config.address import parse_host, parse_port
from proxy.config.secret import HIDDEN, Secret

MAX_MODEL: Final = 256
"""Characters of a model's name: several times the longest of those that providers list."""

# First segments that belong to the model routes and to health checks, now or in a later version.
RESERVED_SEGMENTS: Final = frozenset(
    ("v1", "v1beta", "api", "chat", "models", "messages", "responses", "healthz", "readyz")
)

# Hop-by-hop fields (RFC 9110 7.6.1) and those that routing and framing set themselves (RFC 9112 3.2, 6).
REFUSED_HEADERS: Final = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_PATH: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/-]*")  # RFC 3986 3.3 without percent-encoding
_AUTHORITY: Final = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::(.*))?")  # RFC 3986 3.2 without userinfo
_USER: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*")  # RFC 3986 3.2.1
_PROXY_PORTS: Final = {"http": 80, "https": 443}
_PRINTABLE: Final = re.compile(r"[!-~]+")
_FIELD_VALUE: Final = re.compile(r"[!-~]([\t -~]*[!-~])?")  # RFC 9110 5.5 without obs-text
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")  # RFC 3986 3.1
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_QUERY: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2}){0,1024}")  # RFC 3986, section 3.4
_SAMPLE: Final = re.compile(r"[01](\.[0-9]{1,20})?")
_PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,127}")
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")


def check_name(text: str) -> str:
    """The name of a client, provider or account: it appears in headers, logs and metrics, and before a `/`."""
    if not _NAME.fullmatch(text):
        raise ValueError("not a name: up to 64 letters, digits and . _ -, the first a letter or digit")
    return text


def check_pattern(text: str) -> str:
    """The name of a model, or a pattern over names: `*` stands for any text. Names hold `/`, `:`, `[` and more."""
    if not text.isprintable() or " " in text or not 0 < len(text) <= MAX_MODEL:
        raise ValueError(f"not the name of a model: 1 to {MAX_MODEL} printable characters without blanks")
    return text


def check_target(text: str) -> str:
    """`provider/model`; the model may hold slashes, and is `*` alone for the name that was asked for."""
    provider, slash, model = text.partition("/")
    if not slash:
        raise ValueError("not a target: write provider/model, or provider/* for the name that was asked for")
    if not _NAME.fullmatch(provider):
        raise ValueError("not a target: no name of a provider stands before the slash")
    check_pattern(model)
    if "*" in model and model != "*":
        raise ValueError("not a target: * stands alone behind the slash, for the whole name that was asked for")
    return text


def check_price(text: str) -> str:
    """`provider/model` of a price; `*` stands for any text in either."""
    provider, slash, model = text.partition("/")
    if not slash or not _NAME.fullmatch(provider.replace("*", "x")):
        raise ValueError("not what a price is for: write provider/model, * in either for any text")
    check_pattern(model)
    return text


def check_rule(text: str) -> str:
    """What is recorded: `failed`, `all`, `sample:0.01`, `client:NAME` or `model:PATTERN`."""
    kind, _, rest = text.partition(":")
    if text in ("failed", "all"):
        return text
    if kind == "sample" and _SAMPLE.fullmatch(rest) and 0 < float(rest) <= 1:
        return text
    if kind == "client":
        check_name(rest)
        return text
    if kind == "model":
        check_pattern(rest)
        return text
    raise ValueError("not a rule: failed, all, sample:0.01 (above 0, to 1), client:NAME or model:PATTERN")


def check_origin(text: str) -> str:
    """A web origin as browsers send it (RFC 6454 6.2): lower case, no port that is the scheme's own; or `*`."""
    if text == "*":
        return text
    scheme, separator, rest = text.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise ValueError("not an origin: write scheme://host, scheme://host:port, or *")
    if "/" in rest or "?" in rest or "#" in rest or "@" in rest:
        raise ValueError("not an origin: only scheme, host and port, without a path or a closing slash")
    _check_authority(rest, "an origin")
    own = {"http": ":80", "https": ":443"}.get(scheme.lower())
    return f"{scheme}://{rest.removesuffix(own) if own else rest}".lower()


def check_parameter(text: str) -> str:
    """The name of a request's parameter, with dots between the parts of a path."""
    if not _PARAMETER.fullmatch(text):
        raise ValueError("not the name of a parameter: letters, digits and _ . -, the first a letter or _")
    return text


def check_project(text: str) -> str:
    """The id or number of a Google Cloud project, or "" for none."""
    if text and not _PROJECT.fullmatch(text):
        raise ValueError("not the id of a project: up to 128 letters, digits and . : _ -")
    return text


def check_query(text: str) -> str:
    """A query as it stands in a URL, without the question mark before it, or "" for none."""
    if text.startswith("?") or not _QUERY.fullmatch(text):
        raise ValueError("not a query: name=value, joined by &, without the ? before it")
    return text


def check_argument(text: str) -> Secret:
    """An argument of a command. A secret, because one may have been put into it."""
    if not text or "\0" in text:
        raise ValueError("not an argument: it is empty, or holds a NUL")
    return Secret(text)


def check_mount_path(text: str) -> str:
    """The path of a mount: `/weather`, `/a/b`. Matched as raw bytes, so it has one spelling only."""
    if text == "/":
        raise ValueError("a mount at / would hide every other route: give it a path such as /api-name")
    if not text.startswith("/") or text.endswith("/"):
        raise ValueError("not a mount path: it starts with / and does not end with one")
    if not _PATH.fullmatch(text):
        raise ValueError("not a mount path: no query, percent-encoding, blanks or other characters foreign to a path")
    segments = text.split("/")[1:]
    if "" in segments or "." in segments or ".." in segments:
        raise ValueError("not a mount path: no empty segment, . or .. in it")
    if segments[0] in RESERVED_SEGMENTS:
        raise ValueError(f"/{segments[0]} is reserved for the routes of the proxy itself")
    return text


def check_base_url(text: str) -> str:
    """An http or https URL with host, perhaps port and path; a closing slash is taken off."""
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("not a base URL: blanks or characters other than printable ASCII in it")
    scheme, separator, rest = text.partition("://")
    if scheme.lower() not in ("http", "https") or not separator:
        raise ValueError("not a base URL: it starts with http:// or https://")
    for character, part in (("?", "query"), ("#", "fragment"), ("\\", "backslash")):
        if character in rest:
            raise ValueError(f"not a base URL: a {part} has no place in it")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise ValueError("not a base URL: no user name or password in it; use an account or headers")
    _check_authority(authority, "a base URL")
    path = (slash + path).removesuffix("/")
    _check_base_path(path)
    return f"{scheme.lower()}://{authority}{path}"


def check_proxy(text: str) -> Secret:
    """The http or https URL of a forward proxy, perhaps with user and password; a secret for these. "" for none."""
    if not text:
        return Secret("")
    scheme, separator, rest = text.partition("://")
    if scheme.lower() not in _PROXY_PORTS or not separator:
        raise ValueError("not the URL of a proxy: it starts with http:// or https://")
    user, _, authority = rest.removesuffix("/").rpartition("@")
    if not _USER.fullmatch(user):
        raise ValueError("not the URL of a proxy: signs in its user name or password need percent-encoding")
    _check_authority(authority, "the URL of a proxy")
    return Secret(f"{scheme.lower()}://{rest.removesuffix('/')}")


def name_proxy(proxy: Secret) -> str:
    """`host:port` of a proxy, all of it that may be seen; "" for none."""
    scheme, _, rest = proxy.reveal().partition("://")
    host = rest.rpartition("@")[2]
    return host if not host or re.search(r":[0-9]+$", host) else f"{host}:{_PROXY_PORTS[scheme]}"


def mask_proxy(proxy: Secret) -> str:
    """The URL of a proxy, `***` in place of user and password."""
    scheme, separator, rest = proxy.reveal().partition("://")
    user, at, authority = rest.rpartition("@")
    return f"{scheme}{separator}{HIDDEN if user else ''}{at}{authority}"


def check_header_name(text: str) -> str:
    """The name of a field that may be added upstream."""
    if not _TOKEN.fullmatch(text) or len(text) > 256:
        raise ValueError("not a header name (RFC 9110 5.1)")
    if text.lower() in REFUSED_HEADERS:
        raise ValueError("this header belongs to the connection and to framing: it cannot be set")
    return text


def check_header_value(text: str) -> Secret:
    """The value of a field that is added upstream."""
    if not _FIELD_VALUE.fullmatch(text):
        raise ValueError("not a header value: printable ASCII, not empty, no blank at either end")
    return Secret(text)


def check_key(text: str) -> Secret:
    """A key as it stands in an HTTP header: printable ASCII without blanks."""
    if not text:
        raise ValueError("the key is empty")
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("not a key: blanks or characters other than printable ASCII in it")
    return Secret(text)


def check_key_or_none(text: str) -> Secret:
    """A key, or "" for none."""
    return check_key(text) if text else Secret("")


def hash_key(text: str) -> bytes:
    """The SHA-256 digest of a key, 32 bytes: all that is kept of a client's key."""
    return sha256(check_key(text).reveal().encode("ascii")).digest()


def check_sha256(text: str) -> bytes:
    """64 hexadecimal digits to a digest of 32 bytes."""
    if not _SHA256.fullmatch(text):
        raise ValueError("not a SHA-256 digest: 64 hexadecimal digits, as sha256sum prints")
    return bytes.fromhex(text)


def check_pseudonym(text: str) -> str:
    """The name to give in Via: a token (RFC 9110 7.6.3), or "" for none."""
    if text and not (_TOKEN.fullmatch(text) and len(text) <= 64):
        raise ValueError("not a pseudonym for Via: letters, digits and - . _, at most 64 (RFC 9110 7.6.3)")
    return text


def _check_authority(authority: str, called: str) -> None:
    match = _AUTHORITY.fullmatch(authority)
    if match is None or match[1] in ("", "*"):
        raise ValueError(f"not {called}: the host is missing, or more than host and port stands in its place")
    try:
        parse_host(match[1])
        if match[2] is not None and parse_port(match[2]) == 0:
            raise ValueError("not an address: port 0 cannot be connected to")
    except ValueError as error:
        raise ValueError(str(error).replace("not an address", f"not {called}")) from None


def _check_base_path(path: str) -> None:
    plain = re.sub(r"%[0-9A-Fa-f]{2}", "x", path)
    if not _PATH.fullmatch(plain):
        raise ValueError("not a base URL: its path holds characters foreign to a path, or a half percent-encoding")
    segments = re.sub(r"%2[eE]", ".", path).split("/")[1:]
    if "" in segments or "." in segments or ".." in segments:
        raise ValueError("not a base URL: no empty segment, . or .. in its path")
