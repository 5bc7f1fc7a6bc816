"""Where the proxy listens, what it keeps, and what it says about itself."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.kind import choice
from proxy.config.marks import Leaf, Section


class Tls(Struct, frozen=True, kw_only=True):
    certificate: Annotated[
        str,
        Leaf(
            kinds.FILE_NAME,
            "The certificate, and behind it those that lead to a root, as PEM; `${cred:NAME}` for a credential of "
            "systemd. Read again on SIGHUP.",
        ),
    ] = ""
    key: Annotated[
        str, Leaf(kinds.FILE_NAME, "Its private key, as PEM without a passphrase; it may stand in the same file.")
    ] = ""


class Server(Struct, frozen=True, kw_only=True):
    listen: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.ADDRESS,
            "Where callers connect: `host:port`, `[v6]:port` or `unix:/path`; `*:port` is every interface. A socket "
            "passed by systemd is used instead when there is one, and only such a socket can be shared by several "
            "processes. Loopback, because nobody has to show a key until "
            "clients are configured.",
            many=True,
        ),
    ] = ("127.0.0.1:8088",)
    admin: Annotated[
        str,
        Leaf(
            kinds.ADDRESS_OR_OFF,
            "Where the console is, and what else an operator asks: health, metrics, streams, accounts; "
            '`""` or `"off"` for nowhere. Loopback, because it is never meant for callers.',
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
    tls: Annotated[
        Tls,
        Section(
            "The certificate for callers that connect by TLS. With it every listener speaks TLS but Unix sockets and "
            "an `admin` on loopback. None, because a front proxy often has it."
        ),
    ] = Tls()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.PEER,
            'The front proxies: addresses, networks, or `"unix"` for whatever comes by a Unix socket. Their '
            "`X-Forwarded-For` is believed, and no limit per address counts them. Empty, because anyone can "
            "write that field.",
            many=True,
            least=0,
        ),
    ] = ()
    cors: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.ORIGIN,
            "Web pages whose scripts may call the model routes, as `scheme://host[:port]`, or `*` alone for any. "
            "Mounts pass what upstream says. Empty, because a page that somebody visits could spend the keys; without "
            "`[clients]` only pages of this machine may ask then.",
            many=True,
            least=0,
        ),
    ] = ()


class State(Struct, frozen=True, kw_only=True):
    path: Annotated[
        str,
        Leaf(
            kinds.DATA_FILE,
            "The file that keeps cool-downs and limits over a restart, and by which processes on one machine share "
            "them; `:memory:` for none. Empty: `penstock.db` in "
            "`$STATE_DIRECTORY`, which systemd sets, else `penstock/penstock.db` in `$XDG_STATE_HOME` or "
            "`~/.local/state`.",
        ),
    ] = ""


class Log(Struct, frozen=True, kw_only=True):
    format: Annotated[
        str,
        Leaf(
            choice("auto", "json", "logfmt", "text"),
            "How a line is written. `auto` is `text` when standard error is a terminal and `json` otherwise.",
        ),
    ] = "auto"
    level: Annotated[
        str,
        Leaf(
            choice("debug", "info", "warning", "error"),
            "The least important line that is written. `info` has one line per request.",
        ),
    ] = "info"
