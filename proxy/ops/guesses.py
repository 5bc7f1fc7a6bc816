"""Wrong tokens by who showed them: so few may be tried that guessing is hopeless.

The same wrong one again says nothing new and does not count, so neither a browser with an old cookie nor a scraper with
an old token locks anybody out. Who has a /64 of IPv6 has all of its addresses (RFC 6177 2): they are one. Bounded; time
is passed in.
"""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import Final

MOST_WRONG: Final = 10
"""Different wrong tokens within WITHIN seconds: enough for slips, and hopeless for guessing."""

WITHIN: Final = 60.0

MOST_ADDRESSES: Final = 1024
"""Callers that are remembered; beyond that the one is forgotten who was wrong the longest ago."""

_NETWORK: Final = 64
"""Bits of an IPv6 address below those that its holder chooses."""


class Guesses:
    """In the order of each one's last."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, dict[bytes, float]] = OrderedDict()

    def note(self, remote: str, guess: bytes, now: float) -> None:
        """guess: a digest of what was shown."""
        who = _name(remote)
        made = self._made.setdefault(who, {})
        made.setdefault(guess, now)
        if len(made) > MOST_WRONG:
            del made[next(iter(made))]
        self._made.move_to_end(who)
        if len(self._made) > MOST_ADDRESSES:
            self._made.popitem(last=False)

    def count_wait(self, remote: str, now: float) -> int:
        """Seconds until one more may be tried; 0 is now."""
        times = list(self._made.get(_name(remote), {}).values())
        if len(times) < MOST_WRONG or now - times[0] >= WITHIN:
            return 0
        return int(times[0] + WITHIN - now) + 1


def _name(remote: str) -> str:
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if not isinstance(address, IPv6Address):
        return remote
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _NETWORK << _NETWORK))
