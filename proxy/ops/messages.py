"""The few things that the process says of itself, beside a line for each request."""

import logging
from collections.abc import Sequence

from proxy.accounts.cooldown import Cooldown
from proxy.config.tree import format_place

_LOG = logging.getLogger("penstock")


def announce(public: Sequence[str], admin: Sequence[str]) -> None:
    """Say where the proxy can be reached, and where its console is."""
    if admin:
        _LOG.info("console on %s", ", ".join(admin))
    _LOG.info("listening on %s", ", ".join(public))


def warn_nothing_mounted() -> None:
    """Say why every request will be a 404."""
    _LOG.warning("nothing is mounted: give --config FILE, or a key such as OPENAI_API_KEY in the environment")


def warn_caution(place: str, message: str) -> None:
    """Say what is allowed, and likely not meant."""
    _LOG.warning("configuration: %s: %s", place, message)


def warn_guarded(provider: str, address: str, kind: str) -> None:
    """Say that a name of a provider's leads where no request may go, and how to let it."""
    place = format_place(("providers", provider))
    _LOG.warning(
        "provider %s: not connected to %s: this is a %s address, and no name may lead there; if it is meant, "
        '[%s] takes private_networks = ["%s"]',
        *(provider, address, kind, place, address),
    )


def warn_attention(cooldown: Cooldown) -> None:
    """Say that an account will not serve until somebody has looked."""
    spot = cooldown.spot
    _LOG.warning("account %s/%s needs attention: %s: %s", spot.provider, spot.name, cooldown.why, cooldown.detail)
