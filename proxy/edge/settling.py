"""What a finished request has used and what that cost, once, for whoever is told of it: log, ledger, metrics, limits.

It is the sum over the attempts whose answer had begun. What those cost that never came so far, nobody tells.
"""

from proxy.dialects.estimate import count_tokens
from proxy.edge.house import House
from proxy.relay.outcome import Attempt, Record
from proxy.usage.meter import Metered, Told, add_costs, meter, total


def settle(record: Record, house: House) -> None:
    """Fill in `usage`, `usage_source` and `cost`; where no answer had begun they stay as they are."""
    parts = [
        (attempt, _meter(attempt, attempt.told, record.bytes_up, house))
        for attempt in record.attempts
        if attempt.told is not None
    ]
    if not parts:
        return
    record.usage, record.usage_source = total([metered for _, metered in parts])
    record.cost = add_costs(_find_cost(attempt, record.model, metered, house) for attempt, metered in parts)


def _meter(attempt: Attempt, told: Told, size: int, house: House) -> Metered:
    """A request's size says too much where it has images: the model took it, so it fits."""
    asked = count_tokens(size)
    most = house.find_capabilities(attempt.model).context if asked else 0
    return meter(told, min(asked, most) if most else asked)


def _find_cost(attempt: Attempt, said: str, metered: Metered, house: House) -> float | None:
    """By the name that the provider was asked for; else by the one it gave, of one that has chosen a model itself."""
    cost = house.prices.find_cost(attempt.provider, attempt.model, metered.usage)
    return house.prices.find_cost(attempt.provider, said, metered.usage) if cost is None else cost
