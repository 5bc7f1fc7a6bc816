"""What a metric's labels may say: few words, all of them from the program or from the configuration.

A series that was once made stays until the process ends, so nothing that a caller or a provider writes becomes a label:
a model is named as the configuration names it, or `other`; an operation goes by the route; an error is one of the
project's own words, or an HTTP status. "" is a label that is not there.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from proxy.config.model import Config
from proxy.relay.outcome import Attempt, EndReason, Record

OTHER: Final = "other"

MOST_MODELS: Final = 256
"""Names of models that have series of their own: a configuration may list a provider's thousands, and each costs some
hundred numbers per scrape."""

OPERATIONS: Final = {
    "/v1/chat/completions": "chat",
    "/api/v1/chat/completions": "chat",
    "/v1/responses": "chat",
    "/v1/messages": "chat",
    "/api/chat": "chat",
    "/api/stream": "chat",
    "/v1beta/models/{model}:generateContent": "generate_content",
    "/v1beta/models/{model}:streamGenerateContent": "generate_content",
    "/v1/embeddings": "embeddings",
    "/v1/messages/count_tokens": "count_tokens",
    "/v1beta/models/{model}:countTokens": "count_tokens",
}
"""By route. The first three words are those of OpenTelemetry's GenAI conventions."""

_MOUNTED: Final = "pass_through"
"""A mount's operation: nobody here knows what was asked for."""

_ASKING: Final = frozenset({"GET", "POST"})
_GOOD: Final = frozenset({EndReason.DONE, EndReason.LATE_CUT, None})
_STATUSES: Final = frozenset(status.value for status in HTTPStatus)
_LONGER: Final = ("-", "@", ":")
"""What may follow a model's name where a provider tells its edition: `gpt-5-2025-08-07`."""

_BUCKET: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}").fullmatch


def list_models(config: Config) -> tuple[str, ...]:
    """The names in a configuration: those to ask for, those that providers are asked for, those with a price."""
    targets = (target.partition("/")[2] for model in config.models.values() for target in model.targets)
    priced = (name.partition("/")[2] for name in config.prices)
    names = dict.fromkeys([*config.models, *targets, *priced])
    return tuple(name for name in names if name and "*" not in name)


class ModelNames:
    """known: as `list_models` gives them."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known: frozenset[str] = frozenset()
        self.apply(known)

    def apply(self, known: Iterable[str]) -> None:
        """Those of a new configuration."""
        self._known = frozenset(list(known)[:MOST_MODELS])

    def name(self, model: str) -> str:
        return model if model in self._known or not model else OTHER

    def name_answering(self, model: str, asked: str) -> str:
        """model: who answered, as the provider says. asked: who was asked."""
        is_edition = asked and model.startswith(asked) and model[len(asked) :].startswith(_LONGER)
        return self.name(asked if is_edition and model not in self._known else model)


def name_operation(record: Record) -> str:
    """ "" for what is no operation: a list of models, a preflight, a request that came to no route."""
    operation = OPERATIONS.get(record.mount, "")
    if operation:
        return operation if record.method in _ASKING else ""
    return _MOUNTED if record.attempts else ""


def name_error(record: Record) -> str:
    """Why the client has no whole, good answer; "" when it has."""
    if record.end not in _GOOD:
        return record.error or (record.end.value if record.end else "")
    return record.error or _name_status(record.status) if record.status >= 400 else ""


def name_attempt_error(attempt: Attempt) -> str:
    """Why an attempt came to nothing; "" for one that was answered, whatever became of the answer."""
    if attempt.error:
        return attempt.error
    if attempt.outcome == "lost":
        return "cancelled"
    return _name_status(attempt.status or 0)


def name_outcome(attempt: Attempt) -> str:
    """A mount's attempt has no outcome: whoever answers it has won."""
    return attempt.outcome or ("failed" if attempt.status is None else "won")


def name_bucket(bucket: str) -> str:
    """Of a provider's limit, as its header names it; "" for what is no such name."""
    return bucket if _BUCKET(bucket) else ""


def _name_status(status: int) -> str:
    if status < 400:
        return ""
    return str(status) if status in _STATUSES else OTHER
