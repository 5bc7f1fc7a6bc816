"""What callers ask for, and where it leads: models by name, and mounts by path."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.marks import Leaf


class Model(Struct, frozen=True, kw_only=True):
    targets: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.TARGET,
            "Who answers, as `provider/model`; `provider/*` keeps the name that was asked for. Several are tried in "
            "this order.",
            many=True,
        ),
    ]
    drop_params: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.PARAMETER,
            "Parameters that are left out when a target cannot take them, by their name in the request. Any other "
            "refuses the request by name. Empty, because nobody but you can know which are not missed.",
            many=True,
            least=0,
        ),
    ] = ()


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
