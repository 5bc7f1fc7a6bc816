"""From a question to the rotation over its route's targets, and to its hedging."""

import itertools
import math
import random
from typing import Final

from proxy.accounts.rotation import Bounds, Candidate, Go, Rotation
from proxy.edge.house import House
from proxy.edge.question import Question
from proxy.edge.scope import Scope
from proxy.edge.sessions import find_session
from proxy.relay.clocks import Ticker
from proxy.relay.failover import Hedging

BYTES_PER_TOKEN: Final = 4
"""Of JSON: a guess for limits in tokens per minute, put right when the usage is known."""

_draw = random.Random().random  # noqa: S311 - spreads load and retries, and guards nothing


def build_rotation(scope: Scope, question: Question, ticker: Ticker) -> Rotation:
    """Deposits into the retry budget: one call is one request."""
    house, found, now = scope.house, question.found, ticker.wall()
    candidates = []
    for goal in found.goals:
        provider = house.providers[goal.provider]
        context = house.find_capabilities(goal.model).context if len(found.goals) > 1 else 0
        candidates.append(Candidate(provider.name, goal.model, provider.book, context, goal.tier, goal.weight))
    until = now + found.plan.deadline if found.plan.deadline else math.inf
    house.shared.retries.deposit(now)
    return Rotation(
        candidates,
        Bounds(found.plan.attempts, house.limits.attempts_per_provider, until),
        house.shared.retries,
        _draw,
        session=find_session(question) if _wants_session(house, question) else "",
        tokens=len(question.body) // BYTES_PER_TOKEN,
    )


def build_hedging(scope: Scope, question: Question, ticker: Ticker) -> Hedging | None:
    """None where the route does not want it."""
    plan, house, record = question.found.plan, scope.house, scope.record
    if plan.hedge_after is None and not plan.hedge_p95:
        return None
    budget = house.shared.find_hedges(question.found.entry, plan.hedge_budget)
    budget.deposit(ticker.wall())

    def find_delay(go: Go) -> float | None:
        goal = question.found.goals[go.candidate]
        p95 = house.shared.latencies.p95((house.providers[goal.provider].name, goal.model)) if plan.hedge_p95 else None
        return plan.hedge_after if p95 is None else p95

    def note() -> None:
        record.hedges += 1

    return Hedging(find_delay, budget, note)


def _wants_session(house: House, question: Question) -> bool:
    """Whether anything is chosen by it."""
    goals = question.found.goals
    shared = any(a.tier == b.tier for a, b in itertools.pairwise(goals))
    return shared or any(house.providers[goal.provider].shares_sessions for goal in goals)
