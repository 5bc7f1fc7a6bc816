"""Times that a finished record tells of, beyond those that stand in it. Pure; all in seconds.

An attempt's own time ends with its answer's head on a mount, with the answer's first substance in a stream, and with
the last byte of a whole answer. How long a stream went on after that follows from what came next.
"""

from collections.abc import Sequence
from typing import Final

from proxy.relay.outcome import Attempt, Record

_ANSWERED: Final = frozenset({"won", "rescued", "failed"})


def is_answered(attempt: Attempt) -> bool:
    """Whether the client got anything of its answer. A mount's attempt has no outcome: its head tells."""
    return attempt.outcome in _ANSWERED if attempt.outcome else attempt.status is not None


def find_answer(attempts: Sequence[Attempt]) -> Attempt | None:
    """Whose answer the client has, or the end of it."""
    return next((attempt for attempt in reversed(attempts) if is_answered(attempt)), None)


def measure_operation(record: Record, attempt: Attempt) -> float:
    """From the request to a provider until it was over. A stream ends where the next attempt goes on with it, or with
    the request."""
    begun = attempt.started + attempt.seconds
    if not is_answered(attempt):
        return attempt.seconds
    later = (other.started for other in record.attempts if other is not attempt and other.started >= begun)
    return max(min(later, default=record.duration) - attempt.started, attempt.seconds)


def measure_chunks(record: Record) -> float | None:
    """Between two events of a stream, on average; None where there were none."""
    if record.ttft is None or record.events < 2:
        return None
    return max(record.duration - record.ttft, 0.0) / (record.events - 1)


def measure_overhead(record: Record) -> float | None:
    """What the client waited for us: until the first attempt went out, and from a provider's answer to the client's.
    None where nobody answered."""
    answer = next((attempt for attempt in record.attempts if is_answered(attempt)), None)
    if answer is None:
        return None
    if record.ttft is not None:
        told = max(record.ttft, record.first_byte or 0.0)  # a client that waits has its head before the answer
    elif record.first_byte is not None:
        told = record.first_byte
    else:
        told = record.duration  # a whole answer
    return record.attempts[0].started + max(told - answer.started - answer.seconds, 0.0)
