"""What callers ask for, and where it leads: models by name, and mounts by path."""

from typing import Annotated

from msgspec import Struct, field

from proxy.config import kinds
from proxy.config.kind import choice
from proxy.config.marks import Leaf, Named
from proxy.config.syntax import check_target


class Override(Struct, frozen=True, kw_only=True):
    """What is None is as the model says."""

    tier: Annotated[
        int | None,
        Leaf(
            kinds.COUNT,
            "When it is tried: a lower tier goes before a higher one, and those of one tier share the requests by "
            "`weight`. Absent: its place in the list, counted from 1.",
        ),
    ] = None
    weight: Annotated[int, Leaf(kinds.COUNT, "Its part of the requests of its tier.")] = 1
    first_byte: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of the model's `first_byte`.")] = None
    ttft: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of the model's `ttft`.")] = None
    progress: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of the model's `progress`.")] = None
    drop_params: Annotated[
        tuple[str, ...] | None,
        Leaf(kinds.PARAMETER, "In place of the model's `drop_params`.", many=True, least=0),
    ] = None


class Model(Struct, frozen=True, kw_only=True):
    targets: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.TARGET,
            "Who answers, as `provider/model`; `provider/*` keeps the name that was asked for. Several are tried in "
            "this order, unless `overrides` gives them tiers.",
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
    attempts: Annotated[int | None, Leaf(kinds.COUNT, "In place of `limits.attempts`.")] = None
    deadline: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of `limits.deadline`.")] = None
    first_byte: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of `limits.first_byte`.")] = None
    ttft: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of `limits.ttft`.")] = None
    progress: Annotated[float | None, Leaf(kinds.DURATION_OR_OFF, "In place of `limits.progress`.")] = None
    rescue: Annotated[
        str,
        Leaf(
            choice("off", "restart", "continue"),
            "What happens to a stream that breaks after text has gone to the caller. `restart` asks anew and goes on "
            "behind that text if the new answer begins with it; `continue` gives the text to a model that can go on "
            "with it, and falls back to `restart`. Off ends with an error event, because a rescue costs a second "
            "answer.",
        ),
    ] = "off"
    hedge_after: Annotated[
        float | str,
        Leaf(
            kinds.HEDGE,
            "After this much waiting for the first piece of an answer a second attempt is made beside the first, and "
            "the quicker one wins; `p95` is what 95 of 100 recent answers of the target needed. Off, because both "
            "are paid.",
        ),
    ] = 0.0
    hedge_budget: Annotated[
        float,
        Leaf(kinds.SHARE, "Share of the requests that may be hedged. As many as are slower than `p95`."),
    ] = 0.05
    on_disconnect: Annotated[
        str,
        Leaf(
            choice("cancel", "drain"),
            "What happens when the caller has gone: `cancel` closes the request upstream at once, `drain` reads on to "
            "learn what it used. `cancel`, because it stops the cost.",
        ),
    ] = "cancel"
    drain_for: Annotated[
        float,
        Leaf(kinds.DURATION, "How long `drain` reads on at most. Most of what is nearly done is done by then."),
    ] = 20.0
    overrides: Annotated[
        dict[str, Override],
        Named(check_target, '"PROVIDER/MODEL"', "What is different for one of the targets, named as in `targets`."),
    ] = field(default_factory=dict)


class Mount(Struct, frozen=True, kw_only=True):
    provider: Annotated[str, Leaf(kinds.NAME, "The provider behind this path.")]
    auth: Annotated[
        str,
        Leaf(
            choice("key", "none", "pass"),
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
