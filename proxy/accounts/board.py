"""What is known of every provider and account of this process: who is left alone and until when, who is being tried
again, and how many requests each has. One per process; it outlives the configuration, which books come and go with.

A cool-down that is over does not just vanish: its spot is half open. One request is let through (a probe); if it
succeeds the cool-down is removed, if it fails it is cooled again for longer, if it ends without either the next one may
try. A `StateStore` keeps the cool-downs beyond the process and tells of those of other processes.

Failures that are older than the cool-down are news of the same trouble: of fifty requests that are refused at once the
first makes the cool-down, and the others make it no longer than they themselves ask for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from proxy.accounts.cooldown import Cooldown, Level, Spot, StateStore
from proxy.accounts.rate_headers import NO_RATES, Rates
from proxy.accounts.sharing import Counted, Holder
from proxy.types import ProviderName

FORGOTTEN: Final = 600.0
"""Seconds after its end, when a cool-down that nobody came to try matters no more; the next failure is a new one. But
a refused key is remembered until somebody looks, or it works."""

_RECENT: Final = 60.0
"""Seconds: a failure that is this old is not in a row with the next one."""

_JUST_NOW: Final = 1.0
"""Seconds after a good answer in which one failure says little about a provider."""

_MOST_HELD: Final = 64
"""Models of one account that an empty bucket holds back. More names than that are a caller's invention."""

_OF_ACCOUNTS: Final = (Level.MODEL, Level.ACCOUNT)
_NOTHING: Final[Mapping[Spot, Cooldown]] = {}


@dataclass(slots=True)
class AccountState(Counted):
    """held: by model, until when an empty bucket of the provider's holds the account back. refusals: 401s in a row.
    succeeded: when it last answered well. mark: of the credential that all this was learned with. limited: the
    configuration limits it."""

    limited: bool = False
    refusals: int = 0
    succeeded: float | None = None
    rates: Rates = NO_RATES
    held: dict[str, float] = field(default_factory=dict)
    mark: str = ""

    def renew(self, mark: str) -> None:
        if self.mark != mark:
            self.mark, self.refusals, self.succeeded, self.rates, self.held = mark, 0, None, NO_RATES, {}

    def hold(self, model: str, until: float, now: float) -> None:
        self.held = {name: end for name, end in self.held.items() if end > now}
        if len(self.held) < _MOST_HELD:
            self.held[model] = until


@dataclass(slots=True)
class Row:
    """Failures in a row at one provider that were held against nobody."""

    length: int = 0
    last: float = 0.0


class Board:
    """warn: told of a spot that begins to need somebody's attention, once until it was well."""

    __slots__ = ("_accounts", "_cooldowns", "_marks", "_probes", "_rows", "_store", "_warn", "_well")

    def __init__(self, store: StateStore | None = None, warn: Callable[[Cooldown], None] | None = None) -> None:
        self._store = store
        self._warn = warn
        self._cooldowns: dict[ProviderName, dict[Spot, Cooldown]] = {}
        self._accounts: dict[tuple[ProviderName, str], AccountState] = {}
        self._marks: dict[tuple[ProviderName, str], str] = {}
        self._rows: dict[ProviderName, Row] = {}
        self._probes: dict[Spot, object] = {}
        self._well: dict[ProviderName, tuple[float, float]] = {}  # of the last good answer: its request's start, when

    def read(self, marks: Mapping[tuple[ProviderName, str], str], now: float) -> None:
        """Once, before the first request. marks: of every account's credential, by provider and alias. What was learned
        with another credential is dropped."""
        self._marks.update(marks)
        if self._store is None:
            return
        for cooldown in self._store.read():
            if self._is_ours(cooldown) and not _is_forgotten(cooldown, now):
                self._keep(cooldown)
            else:
                self._store.remove(cooldown.spot)
        self._store.watch(self._hear)

    def account(self, provider: ProviderName, alias: str) -> AccountState:
        """Made when first asked for."""
        state = self._accounts.get((provider, alias))
        if state is None:
            state = self._accounts[provider, alias] = AccountState(mark=self._marks.get((provider, alias), ""))
        return state

    def renew(self, provider: ProviderName, marks: Mapping[str, str]) -> None:
        """The provider's accounts as a configuration has them now, and the marks of their credentials: an account with
        a new one starts afresh, and one that is gone is not spoken of any more."""
        others = {key: mark for key, mark in self._marks.items() if key[0] != provider}
        self._marks = others | {(provider, alias): mark for alias, mark in marks.items()}
        for alias, mark in marks.items():
            self.account(provider, alias).renew(mark)
        for cooldown in [*self.cooled(provider).values()]:
            if not self._is_ours(cooldown):
                self.lift(cooldown.spot)

    def list_counted(self) -> Sequence[tuple[Holder, Counted]]:
        """Accounts with limits of ours."""
        return [(Holder(*name), state) for name, state in self._accounts.items() if state.limited]

    def find_counted(self, holder: Holder) -> Counted | None:
        return self._accounts.get((ProviderName(holder.provider), holder.name))

    def list(self, now: float) -> list[Cooldown]:
        """Those that still matter; over and half open where `until` has passed."""
        self._forget(now)
        return [cooldown for held in self._cooldowns.values() for cooldown in held.values()]

    def clear(self, provider: ProviderName, alias: str, now: float) -> int:
        """By hand: an account's (its models' too), or with "" for alias all of the provider's. Returns how many were
        lifted."""
        self._forget(now)
        spots = [
            spot for spot in self.cooled(provider) if not alias or (spot.level in _OF_ACCOUNTS and spot.name == alias)
        ]
        for spot in spots:
            self.lift(spot)
        held = 0
        for (owner, name), state in self._accounts.items():
            if owner == provider and (not alias or name == alias):
                held += sum(until > now for until in state.held.values())
                state.held, state.refusals = {}, 0
        if not alias:
            self._rows.pop(provider, None)
        return len(spots) + held

    def cooled(self, provider: ProviderName) -> Mapping[Spot, Cooldown]:
        """Everything of this provider that is cooled down or half open; empty most of the time."""
        return self._cooldowns.get(provider, _NOTHING)

    def cool(self, cooldown: Cooldown) -> None:
        """One that lasts longer stays. What was learned with a credential that is gone is not kept."""
        if not self._is_ours(cooldown):
            return
        known = self.cooled(cooldown.spot.provider).get(cooldown.spot)
        if cooldown.attention and self._warn is not None and not (known is not None and known.attention):
            self._warn(cooldown)
        if known is None or known.until < cooldown.until:
            self._keep(cooldown)
            if self._store is not None:
                self._store.put(cooldown)
        self._forget(cooldown.since)

    def lift(self, spot: Spot) -> None:
        if self._drop(spot) and self._store is not None:
            self._store.remove(spot)

    def count_strikes(self, spot: Spot, started: float) -> int:
        """Failures in a row before that of a request which started then."""
        known = self.cooled(spot.provider).get(spot)
        if known is None:
            return 0
        return known.strikes - 1 if known.since >= started else known.strikes

    def is_probed(self, spot: Spot) -> bool:
        return spot in self._probes

    def start_probe(self, spot: Spot, prober: object) -> None:
        self._probes[spot] = prober

    def end_probe(self, spot: Spot, prober: object) -> None:
        if self._probes.get(spot) is prober:
            del self._probes[spot]

    def count_row(self, provider: ProviderName, now: float) -> int:
        row = self._rows.get(provider)
        return row.length if row is not None and now - row.last <= _RECENT else 0

    def extend_row(self, provider: ProviderName, now: float) -> None:
        self._rows[provider] = Row(self.count_row(provider, now) + 1, now)

    def end_row(self, provider: ProviderName) -> None:
        self._rows.pop(provider, None)

    def note_well(self, provider: ProviderName, started: float, now: float) -> None:
        """A request that started then was answered."""
        self._well[provider] = (started, now)

    def is_well(self, provider: ProviderName, started: float, now: float) -> bool:
        """Whether another request than the one that started then was answered: just now, or though it began later."""
        other, at = self._well.get(provider, (started, now))
        return other > started or (other < started and now - at <= _JUST_NOW)

    def _is_ours(self, cooldown: Cooldown) -> bool:
        """Learned with the credential that is in use."""
        spot = cooldown.spot
        return spot.level not in _OF_ACCOUNTS or cooldown.mark == self._marks.get((spot.provider, spot.name), "")

    def _hear(self, spot: Spot, cooldown: Cooldown | None) -> None:
        """Another process has spoken."""
        if cooldown is None:
            self._drop(spot)
        elif self._is_ours(cooldown):
            self._keep(cooldown)

    def _keep(self, cooldown: Cooldown) -> None:
        self._cooldowns.setdefault(cooldown.spot.provider, {})[cooldown.spot] = cooldown

    def _drop(self, spot: Spot) -> bool:
        held = self._cooldowns.get(spot.provider)
        if held is None or held.pop(spot, None) is None:
            return False
        self._probes.pop(spot, None)
        if not held:
            del self._cooldowns[spot.provider]
        return True

    def _forget(self, now: float) -> None:
        for spot in [*self._iterate_forgotten(now)]:
            self.lift(spot)

    def _iterate_forgotten(self, now: float) -> Iterator[Spot]:
        for held in self._cooldowns.values():
            yield from (spot for spot, cooldown in held.items() if _is_forgotten(cooldown, now))


def _is_forgotten(cooldown: Cooldown, now: float) -> bool:
    return not cooldown.attention and now - cooldown.until > FORGOTTEN
