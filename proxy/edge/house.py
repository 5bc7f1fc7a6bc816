"""What one configuration amounts to at the edge, compiled: mounts, clients, limits. Frozen; a reload makes a new one.

A request keeps the House it came in under until it ends, so a reload changes nothing for a running stream.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from proxy.accounts.book import AccountRow, Book
from proxy.accounts.budget import HedgeBudget, RetryBudget
from proxy.accounts.latency import Latencies
from proxy.config.lookup import Found, ModelTable
from proxy.config.model import Limits
from proxy.dialects.base import Dialect
from proxy.dialects.capabilities import Capabilities, Row, find_capabilities
from proxy.dialects.chat import ProviderSide
from proxy.dialects.events import Failure
from proxy.edge.peers import Peers
from proxy.relay.outcome import Record
from proxy.relay.ports import Opener
from proxy.relay.watching import Tape
from proxy.types import ClientName, ProviderName
from proxy.usage.allowance import Allowances
from proxy.usage.prices import PriceTable
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

    def clean(self, failure: Failure) -> Failure:
        """`failure` with no key in what it says, should the provider quote one: clients and cool-downs are told it."""
        message = failure.message
        for secret in self.secrets:
            message = message.replace(secret.decode(), "<key>")
        return failure if message == failure.message else msgspec.structs.replace(failure, message=message)


@dataclass(frozen=True, slots=True)
class Mount:
    """A path prefix and where it leads. auth: key, none or pass. heartbeat: seconds, 0 is off."""

    prefix: str
    provider: Provider
    auth: str
    heartbeat: float


OpenTape = Callable[[Record], Tape | None]
"""Whether a request is recorded, asked once when it is known who asks whom; None where it is not."""


def _open_none(record: Record) -> None:
    return None


class Shared:
    """What all requests of the process draw from, whatever configuration they came in under."""

    def __init__(self, retry_share: float = 0.2) -> None:
        self.open_tape: OpenTape = _open_none
        self.allowances = Allowances()
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
    wants_usage: the books or a limit need to know what a stream has cost, also where its client does not ask.
    prices: what tokens cost.
    chat_page: whether `/chat` is there.
    peers: which connections are front proxies'.
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
    wants_usage: bool = False
    prices: PriceTable = field(default_factory=PriceTable)
    chat_page: bool = False
    peers: Peers = field(default_factory=Peers)

    def find_capabilities(self, model: str) -> Capabilities:
        """What a provider's model can take. Remembered: it is asked for each request, of the same few models."""
        found = self.known_models.get(model)
        if found is None:
            if len(self.known_models) >= _MOST_MODELS:
                self.known_models.clear()
            found = self.known_models[model] = find_capabilities(model, self.rows)
        return found

    def find_model(self, client: ClientName | None, asked: str) -> Found | None:
        """Who answers for the model `asked`; None when nobody does, or not for this client."""
        return self.models.find(asked) if self._may_ask(client, asked) else None

    def list_models(self, client: ClientName | None) -> list[str]:
        """Those that this client can ask for as they stand, in the order of the configuration."""
        return [name for name in self.models.names if self._may_ask(client, name)]

    def suggest_models(self, client: ClientName | None, asked: str) -> list[str]:
        """The nearest of what could have been asked for, and nothing that this client must not know."""
        return [name for name in self.models.suggest(asked) if self._may_ask(client, name)]

    def _may_ask(self, client: ClientName | None, model: str) -> bool:
        return client is None or self.shared.allowances.may_ask(client, model)

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
