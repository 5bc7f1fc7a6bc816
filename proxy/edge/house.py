"""What one configuration amounts to at the edge, compiled: mounts, clients, limits. Frozen; a reload makes a new one.

A request keeps the House it came in under until it ends, so a reload changes nothing for a running stream.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from proxy.accounts.book import AccountRow, Book
from proxy.accounts.budget import HedgeBudget, RetryBudget
from proxy.accounts.latency import Latencies
from proxy.config.lookup import ModelTable
from proxy.config.model import Limits
from proxy.dialects.base import Dialect
from proxy.dialects.capabilities import Capabilities, Row, find_capabilities
from proxy.dialects.chat import ProviderSide
from proxy.relay.ports import Opener
from proxy.types import ClientName, ProviderName
from proxy.wire import target

_MOST_MODELS: Final = 1024
"""Names of models that are remembered; `provider/*` lets callers invent them."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: an opener per account, and the book that says whose turn it is, by the same numbers.

    `base_path` has no slash at its end; a field of an answer that holds one of `secrets` never goes back. side: how it
    is asked for models, None for `raw`. options: what a request's builder wants to know of it (`chat.Target`).
    shares_sessions: which account a request gets depends on its conversation.
    """

    name: ProviderName
    dialect: Dialect
    base_path: str
    book: Book
    openers: tuple[Opener, ...]
    secrets: tuple[bytes, ...]
    side: ProviderSide | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    shares_sessions: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """A path prefix and where it leads. auth: key, none or pass. heartbeat: seconds, 0 is off."""

    prefix: str
    provider: Provider
    auth: str
    heartbeat: float


class Shared:
    """What all requests of the process draw from, whatever configuration they came in under."""

    def __init__(self, retry_share: float = 0.2) -> None:
        self.retries = RetryBudget(retry_share)
        self.latencies = Latencies()
        self._hedges: dict[tuple[str, float], HedgeBudget] = {}

    def find_hedges(self, entry: str, share: float) -> HedgeBudget:
        """The budget of a route, by its entry in the configuration."""
        return self._hedges.setdefault((entry, share), HedgeBudget(share))


@dataclass(frozen=True, slots=True)
class House:
    """mounts: longest prefix first. clients: sha256 of a key to the client's name. models: which name leads where.
    providers: those of `models`. rows: capabilities by pattern. cors: origins whose pages may ask models.
    created: when, in seconds since the epoch. shared: what the process remembers beyond one configuration.
    rows_by_provider: the accounts of all providers. known_models: what was looked up before.
    """

    mounts: tuple[Mount, ...]
    clients: Mapping[bytes, ClientName]
    limits: Limits
    pseudonym: str
    models: ModelTable
    providers: Mapping[str, Provider]
    rows: Sequence[Row]
    cors: tuple[str, ...] = ()
    created: int = 0
    shared: Shared = field(default_factory=Shared)
    rows_by_provider: Mapping[ProviderName, Sequence[AccountRow]] = field(default_factory=dict)
    known_models: dict[str, Capabilities] = field(default_factory=dict)

    def find_capabilities(self, model: str) -> Capabilities:
        """What a provider's model can take. Remembered: it is asked for each request, of the same few models."""
        found = self.known_models.get(model)
        if found is None:
            if len(self.known_models) >= _MOST_MODELS:
                self.known_models.clear()
            found = self.known_models[model] = find_capabilities(model, self.rows)
        return found

    def find_mount(self, path: str) -> Mount | None:
        """The longest mount that covers the raw `path`."""
        for mount in self.mounts:
            if target.covers(mount.prefix, path):
                return mount
        return None

    def find_client(self, key: str) -> ClientName | None:
        """Whose key this is. Compared by digest and in constant time: neither hit nor miss tells how near it was."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found: ClientName | None = None
        for known, name in self.clients.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found
