"""Where the proxy listens, what it keeps, and what it says about itself."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.kind import choice
from proxy.config.marks import Leaf


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
            "The file that keeps cool-downs over a restart; `:memory:` for none. Empty: `penstock.db` in "
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
