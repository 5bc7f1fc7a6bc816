"""The trail of a request's attempts, as the log line and the list of streams show it: who, when, for how long, and what
became of it. A request that went well at the first try has none in its line: the line itself says it all.
"""

from collections.abc import Sequence

import msgspec

from proxy.relay.outcome import Attempt


class Try(msgspec.Struct, omit_defaults=True, frozen=True):
    """at_ms: milliseconds after the request's start; ms: until its head, or until it failed."""

    provider: str
    account: str | None = None
    model: str = ""
    at_ms: float | None = None
    ms: float | None = None
    status: int | None = None
    error: str = ""
    outcome: str = ""


def is_telling(attempts: Sequence[Attempt]) -> bool:
    """Whether the attempts say more than the request's own fields: several, or one that failed."""
    return len(attempts) > 1 or any(attempt.error or (attempt.status or 0) >= 400 for attempt in attempts)


def build_trail(attempts: Sequence[Attempt]) -> list[Try]:
    return [
        Try(
            attempt.provider,
            attempt.account,
            attempt.model,
            to_ms(attempt.started),
            to_ms(attempt.seconds),
            attempt.status,
            attempt.error,
            attempt.outcome,
        )
        for attempt in attempts
    ]


def format_word(entry: Try) -> str:
    """One attempt in a word: `openai/a:gpt-5@0+812ms:429:account`."""
    name = entry.provider + (f"/{entry.account}" if entry.account else "") + (f":{entry.model}" if entry.model else "")
    status = "" if entry.status is None else str(entry.status)
    word = ":".join(filter(None, (status, entry.error, entry.outcome)))
    return f"{name}@{entry.at_ms or 0:.0f}+{entry.ms or 0:.0f}ms" + (f":{word}" if word else "")


def to_ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
