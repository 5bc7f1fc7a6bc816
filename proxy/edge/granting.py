"""What a client may ask for, and how much: its models, its place among the requests in flight, its limits.

`admit_question` and `admit_mount` run before any work for the request is done, and raise what the client is told;
otherwise the scope holds a grant, which `close_grant` settles once it is known what was used. Without a client there
is nobody to be held to anything.
"""

import math
from typing import Final

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.estimate import count_tokens, estimate_tokens
from proxy.dialects.events import Failure, FailureKind, Usage
from proxy.dialects.json_text import list_members
from proxy.edge.model_routes import Ask
from proxy.edge.question import Question
from proxy.edge.scope import Scope
from proxy.errors import Code, Refused
from proxy.relay.outcome import EndReason
from proxy.usage.allowance import Denied, Limit

_LONG: Final = 32 * 1024
"""Bytes of a request's body above which it is read before its tokens are guessed: it may be an image, of which the
size says nothing. A shorter one is worth no more than 8000 tokens, and any no more than its model takes."""

_RATE, _QUOTA = FailureKind.RATE_LIMIT, FailureKind.QUOTA
_REFUSALS: Final = {
    Limit.STREAMS: (Code.CLIENT_STREAMS, _RATE),
    Limit.REQUESTS: (Code.CLIENT_REQUESTS, _RATE),
    Limit.TOKENS: (Code.CLIENT_TOKENS, _RATE),
    Limit.TOKENS_PER_DAY: (Code.CLIENT_TOKENS_PER_DAY, _QUOTA),
    Limit.COST_PER_DAY: (Code.CLIENT_COST_PER_DAY, _QUOTA),
}


def admit_question(scope: Scope, question: Question, now: float) -> None:
    """Raises Declined and Invalid. now: seconds since the epoch."""
    client, allowances = scope.record.client, scope.house.shared.allowances
    if client is None:
        return
    if allowances.is_choosy(client):
        _check_alone(question)
    tokens, cost = _guess(scope, question) if allowances.counts_tokens(client) else (0, 0.0)
    grant = allowances.admit(client, now, tokens, cost)
    if not isinstance(grant, Denied):
        scope.grant = grant
        return
    code, kind = _REFUSALS[grant.limit]
    scope.record.error = code.slug
    scope.record.close(EndReason.LIMIT)
    raise Declined(Failure(kind, code.message, code.status, code.slug, grant.retry_after))


def admit_mount(scope: Scope, now: float) -> None:
    """Raises Refused. What a request on a mount will use cannot be told: nobody reads its body."""
    client, allowances = scope.record.client, scope.house.shared.allowances
    if client is None:
        return
    if allowances.is_choosy(client):
        raise Refused(Code.FORBIDDEN)
    grant = allowances.admit(client, now)
    if isinstance(grant, Denied):
        raise Refused(_REFUSALS[grant.limit][0], {"Retry-After": str(math.ceil(grant.retry_after))})
    scope.grant = grant


def close_grant(scope: Scope, now: float) -> None:
    """Count what the request has used, as far as its record knows. Of one whose client left before there was an answer
    nobody knows; the provider has the prompt and bills it, so what was guessed of that counts."""
    grant, record = scope.grant, scope.record
    if grant is None:
        return
    if record.usage is None and record.attempts and record.end is EndReason.CLIENT_GONE:
        grant.keep(now)
        return
    tokens = record.usage.count() if record.usage is not None else None
    grant.close(now, tokens or 0, record.cost or 0.0)


def _check_alone(question: Question) -> None:
    """That no other model is named than the one that was looked up. Of two members the provider may read the first
    (RFC 8259 4), and OpenRouter goes on with those of `models`. Raises Invalid."""
    names = list_members(question.body)
    if names.count("model") > 1:
        raise Invalid("model", "stands there more than once")
    if "models" in names:
        raise Invalid("models", "is not for this key, which may ask for some models only")


def _guess(scope: Scope, question: Question) -> tuple[int, float]:
    """Tokens of the prompt and what they cost at whoever is asked first."""
    if question.route.ask is Ask.COUNT:
        return 0, 0.0
    goal = question.found.goals[0]
    context = scope.house.find_capabilities(goal.model).context
    tokens = _count(question)
    tokens = min(tokens, context) if context else tokens
    cost = scope.house.prices.find_cost(goal.provider, goal.model, Usage(input=tokens))
    return tokens, cost or 0.0


def _count(question: Question) -> int:
    if len(question.body) > _LONG and question.route.ask is Ask.CHAT:
        try:
            return estimate_tokens(question.read())
        except Invalid:
            pass  # said later, if anybody minds
    return count_tokens(len(question.body))
