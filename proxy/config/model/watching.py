"""Seeing streams: the console, the chat page, and what is recorded."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.marks import Leaf
from proxy.config.secret import Secret


class Console(Struct, frozen=True, kw_only=True):
    token: Annotated[
        Secret,
        Leaf(
            kinds.KEY_OR_NONE,
            "What opens the admin listener. Empty, because loopback needs none; on any other address nothing but "
            "health checks is answered without one.",
        ),
    ] = Secret("")
    content: Annotated[
        bool,
        Leaf(
            kinds.FLAG,
            "Whether the text of streams may be seen. False, because it is the callers': lengths and rates are shown.",
        ),
    ] = False


class Chat(Struct, frozen=True, kw_only=True):
    enabled: Annotated[
        bool,
        Leaf(
            kinds.FLAG,
            "Whether `GET /chat` gives a page to talk to the models with. The page is open, its calls carry a key that "
            "is typed in. False, because an API needs none.",
        ),
    ] = False


class Recording(Struct, frozen=True, kw_only=True):
    when: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.RULE,
            "What is recorded, any of: `failed`, `all`, `sample:0.01` (a part of all), `client:NAME`, `model:PATTERN`. "
            "Empty for nothing, because a recording holds what was said.",
            many=True,
            least=0,
        ),
    ] = ()
    directory: Annotated[
        str,
        Leaf(
            kinds.DIRECTORY,
            "Where recordings are kept. Empty: `cassettes` beside the default file of `[state]`.",
        ),
    ] = ""
    max_bytes: Annotated[
        int,
        Leaf(kinds.SIZE, "Bytes of all recordings together; the oldest go first. Some ten thousand streams."),
    ] = 1024**3
    bodies: Annotated[
        bool,
        Leaf(kinds.FLAG, "Whether the bodies of requests are recorded too. False, because they hold the most."),
    ] = False
    ring: Annotated[
        int,
        Leaf(
            kinds.RING,
            "Failed streams that are kept in memory, the last ones, without recording everything. 0, because every "
            "stream takes some memory for it.",
        ),
    ] = 0
