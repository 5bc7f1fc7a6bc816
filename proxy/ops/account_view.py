"""What `GET /accounts` tells: every provider and account, what is held against them, and who may lift it.

`build_accounts` makes it of the configuration's rows and the board, for one moment. Nothing here is secret: an account
is its alias, a way out is named by host and port, a failure by its kind and its cleaned text.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from proxy.accounts.board import AccountState, Board
from proxy.accounts.book import AccountRow
from proxy.accounts.cooldown import Cooldown, Level
from proxy.ops.times import format_time
from proxy.types import ProviderName

Rows = Mapping[ProviderName, Sequence[AccountRow]]

_OPEN = "open"


class CooldownView(msgspec.Struct, omit_defaults=True, frozen=True):
    """state: `cooling`, `half-open` (over; one request at a time tries, `probing` is under way) or `attention` (time
    alone will not help). name: of the account, or the way out. lifted_by: `time`, or `operator`."""

    level: str
    state: str
    why: str
    detail: str
    until: str
    seconds_left: float
    lifted_by: str
    since: str = ""
    strikes: int = 0
    name: str = ""
    model: str = ""
    probing: bool = False


class LimitView(msgspec.Struct, omit_defaults=True, frozen=True):
    """What the provider said, with its last answer, was left of one of its limits."""

    bucket: str
    remaining: int
    limit: int | None = None
    reset: str = ""


class AccountView(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """account: null at a provider without accounts. elsewhere: requests in flight in other processes that share the
    account's limits. left: what is left of the configured `rpm` and `tpm`, in all of them."""

    account: str | None
    state: str
    in_flight: int
    weight: int
    egress: str
    elsewhere: int = 0
    max_streams: int = 0
    models: tuple[str, ...] = ()
    left: dict[str, int] = {}
    limits: list[LimitView] = []
    succeeded: str = ""
    cooldowns: list[CooldownView] = []


class ProviderView(msgspec.Struct, omit_defaults=True, frozen=True):
    """cooldowns: those of the provider and of its ways out."""

    provider: str
    state: str
    accounts: list[AccountView]
    cooldowns: list[CooldownView] = []


def build_accounts(rows: Rows, board: Board, now: float) -> list[ProviderView]:
    """now: seconds since the epoch."""
    known = board.list(now)
    return [
        _build_provider(name, accounts, [cooldown for cooldown in known if cooldown.spot.provider == name], board, now)
        for name, accounts in rows.items()
    ]


def _build_provider(
    name: ProviderName, rows: Iterable[AccountRow], cooldowns: Sequence[Cooldown], board: Board, now: float
) -> ProviderView:
    shared = [_build_cooldown(c, board, now) for c in cooldowns if c.spot.level in (Level.PROVIDER, Level.EGRESS)]
    accounts = [_build_account(name, row, cooldowns, board, now) for row in rows]
    return ProviderView(name, _find_state(shared, Level.PROVIDER), accounts, shared)


def _build_account(
    provider: ProviderName, row: AccountRow, cooldowns: Sequence[Cooldown], board: Board, now: float
) -> AccountView:
    alias = row.name or ""
    state = board.account(provider, alias)
    own = [
        _build_cooldown(cooldown, board, now)
        for cooldown in cooldowns
        if cooldown.spot.level in (Level.ACCOUNT, Level.MODEL) and cooldown.spot.name == alias
    ]
    own += [_build_held(alias, model, until, now) for model, until in state.held.items() if until > now]
    return AccountView(
        account=row.name,
        state=_find_state(own, Level.ACCOUNT),
        in_flight=state.in_flight,
        weight=row.weight,
        egress=row.egress,
        elsewhere=state.elsewhere,
        max_streams=row.max_streams,
        models=row.models,
        left=_build_left(state, now),
        limits=[
            LimitView(r.bucket, r.remaining, r.limit, "" if r.reset is None else format_time(r.reset))
            for r in state.rates.rates
        ],
        succeeded="" if state.succeeded is None else format_time(state.succeeded),
        cooldowns=own,
    )


def _build_left(state: AccountState, now: float) -> dict[str, int]:
    buckets = {"requests": state.requests, "tokens": state.tokens}
    return {name: int(bucket.left(now)) for name, bucket in buckets.items() if bucket is not None}


def _build_cooldown(cooldown: Cooldown, board: Board, now: float) -> CooldownView:
    state = "cooling" if cooldown.until > now else "half-open"
    return CooldownView(
        level=cooldown.spot.level.value,
        state="attention" if cooldown.attention else state,
        why=cooldown.why,
        detail=cooldown.detail,
        until=format_time(cooldown.until),
        seconds_left=round(max(0.0, cooldown.until - now), 1),
        lifted_by="operator" if cooldown.attention else "time",
        since=format_time(cooldown.since),
        strikes=cooldown.strikes,
        name=cooldown.spot.name,
        model=cooldown.spot.model,
        probing=board.is_probed(cooldown.spot),
    )


def _build_held(alias: str, model: str, until: float, now: float) -> CooldownView:
    """By the provider's own count nothing is left."""
    return CooldownView(
        level=Level.MODEL.value,
        state="cooling",
        why="rate_limit",
        detail="the provider's own count says that nothing is left",
        until=format_time(until),
        seconds_left=round(until - now, 1),
        lifted_by="time",
        name=alias,
        model=model,
    )


def _find_state(cooldowns: Iterable[CooldownView], level: Level) -> str:
    return next((cooldown.state for cooldown in cooldowns if cooldown.level == level.value), _OPEN)
