"""One request at one account: a reservation that counts until it is closed, and that says what came of it.

`succeed` and `fail` are where the board learns; `close` gives back what was reserved, once, whatever happened before.
Whoever holds a lease closes it in a `finally`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from proxy.accounts.board import Board
from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.accounts.policy import History, Policy, Verdict, is_flaky, is_reached, judge
from proxy.accounts.rate_headers import read_rates
from proxy.accounts.seat import Seat
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import FailureKind
from proxy.types import AccountName
from proxy.wire.headers import Headers

_LONGEST_DETAIL: Final = 200
"""Characters of a provider's message that an operator is shown."""

_REFUSALS: Final = frozenset({FailureKind.AUTH, FailureKind.UPSTREAM_AUTH})


class Lease:
    """index: the account's place in the configuration. probe: the one request that a spot which had cooled down gets.
    sticky: the session got the account it belongs to; None without a session."""

    __slots__ = (
        "_accounts_only", "_board", "_closed", "_failed", "_model", "_policy", "_probed", "_reserved", "_seat",
        "_started", "_succeeded", "index", "sticky",
    )  # fmt: skip

    def __init__(
        self, seat: Seat, index: int, board: Board, policy: Policy, now: float, model: str, probed: Sequence[Spot],
        *, sticky: bool | None, tokens: int, accounts_only: bool,
    ) -> None:  # fmt: skip
        self.index = index
        self.sticky = sticky
        self._seat = seat
        self._board = board
        self._policy = policy
        self._model = model
        self._started = now
        self._probed = probed
        self._reserved = tokens
        self._accounts_only = accounts_only
        self._succeeded = self._failed = self._closed = False
        self._reserve(now)

    @property
    def account(self) -> AccountName | None:
        return self._seat.row.name

    @property
    def probe(self) -> bool:
        return bool(self._probed)

    def learn(self, headers: Headers, now: float) -> None:
        """From the fields of any answer. OpenAI and Anthropic count by model, so an empty bucket says nothing of the
        account's other models."""
        rates = read_rates(headers, now)
        if not rates.rates or self._is_callers_own() or not self._is_current():
            return
        state = self._seat.state
        state.rates = rates
        until = rates.held_until
        if until is not None and until > now:
            state.hold(self._model, min(until, now + self._policy.cooldown_max), now)
        else:
            state.held.pop(self._model, None)

    def succeed(self, now: float) -> None:
        """Substance has come, or a good status. What was cooled down before this request started is well again."""
        self._succeeded = True
        self._board.note_well(self._seat.provider, self._started, now)
        if self._is_current():
            self._seat.state.succeeded = now
            self._seat.state.refusals = 0
        if self._board.cooled(self._seat.provider):
            for level in Level:
                self._absolve(level)
            self._end_probes()

    def fail(self, trouble: Trouble, now: float, jitter: float) -> Verdict:
        """Judges, and leaves alone what is to blame. jitter: from 0 to 1."""
        self._failed = True
        verdict = self._excuse(judge(trouble, self._read_history(trouble, now), now, self._policy, jitter), trouble)
        if trouble.how is How.ANSWER:
            self._absolve(Level.EGRESS)
            if trouble.failure.kind in _REFUSALS and self._is_current():
                self._seat.state.refusals += 1
        if is_flaky(trouble):
            self._board.extend_row(self._seat.provider, now)
        elif is_reached(trouble, verdict):
            self._absolve(Level.PROVIDER)
            self._board.end_row(self._seat.provider)
        if verdict.level is not None:
            self._cool(verdict.level, verdict, trouble, now)
        self._end_probes()
        return verdict

    def close(self, now: float, tokens: int | None = None) -> None:
        """tokens: really used; None keeps what was reserved."""
        if self._closed:
            return
        self._closed = True
        self._seat.state.in_flight -= 1
        self._seat.state.touched = True
        self._end_probes()
        bucket = self._seat.state.tokens
        if bucket is not None and tokens is not None:
            bucket.take(tokens - self._reserved, now)
        # Not at the first substance: a provider that cuts every answer would never have failed twice in a row.
        if self._succeeded and not self._failed:
            self._board.end_row(self._seat.provider)

    def _reserve(self, now: float) -> None:
        state = self._seat.state
        state.in_flight += 1
        state.touched = True
        if state.requests is not None:
            state.requests.take(1, now)
        if state.tokens is not None and self._reserved:
            state.tokens.take(self._reserved, now)
        for spot in self._probed:
            self._board.start_probe(spot, self)

    def _read_history(self, trouble: Trouble, now: float) -> History:
        seat, board = self._seat, self._board
        level = Level.MODEL if trouble.failure.model_only else Level.ACCOUNT
        return History(
            account_strikes=board.count_strikes(seat.find_spot(level, self._model), self._started),
            provider_strikes=board.count_strikes(seat.of_provider, self._started),
            egress_strikes=board.count_strikes(seat.egress, self._started),
            recent=board.count_row(seat.provider, now),
            refusals=seat.state.refusals,
            succeeded=seat.state.succeeded,
            well=board.is_well(seat.provider, self._started, now),
        )

    def _excuse(self, verdict: Verdict, trouble: Trouble) -> Verdict:
        """Without an account there is no key to blame, but a limit that is told is one all the same."""
        if self.account is not None or verdict.level not in (Level.ACCOUNT, Level.MODEL):
            return verdict
        failure = trouble.failure
        limited = failure.kind is FailureKind.RATE_LIMIT or failure.retry_after is not None
        if limited and not verdict.attention and not self._is_callers_own():
            return verdict
        return replace(verdict, level=None, seconds=0.0, attention=False)

    def _is_current(self) -> bool:
        """The credential has not been changed since."""
        return self._seat.state.mark == self._seat.row.mark

    def _is_callers_own(self) -> bool:
        """On a mount without accounts each caller brings a key of their own: one's limits are not another's."""
        return self._accounts_only and self.account is None

    def _cool(self, level: Level, verdict: Verdict, trouble: Trouble, now: float) -> None:
        spot, failure = self._seat.find_spot(level, self._model), trouble.failure
        detail = f"{failure.status} {failure.message}" if failure.status else failure.message
        self._board.cool(
            Cooldown(
                spot, failure.kind.value, detail[:_LONGEST_DETAIL], now, now + verdict.seconds,
                self._board.count_strikes(spot, self._started) + 1, verdict.attention,
                self._seat.row.mark if level in (Level.ACCOUNT, Level.MODEL) else "",
            )
        )  # fmt: skip

    def _absolve(self, level: Level) -> None:
        """This request has shown that what was cooled down before it started is well."""
        spot = self._seat.find_spot(level, self._model)
        known = self._board.cooled(self._seat.provider).get(spot)
        if known is not None and known.since < self._started:
            self._board.lift(spot)

    def _end_probes(self) -> None:
        for spot in self._probed:
            self._board.end_probe(spot, self)
