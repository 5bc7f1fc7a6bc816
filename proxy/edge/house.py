"""What one configuration amounts to at the edge, compiled: mounts, clients, limits. Frozen; a reload makes a new one.

A request keeps the House it came in under until it ends, so a reload changes nothing for a running stream.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proxy.accounts.book import Book
from proxy.config.lookup import ModelTable
from proxy.config.model import Limits
from proxy.dialects.base import Dialect
from proxy.dialects.capability_rows import Row
from proxy.dialects.chat import ProviderSide
from proxy.relay.ports import Opener
from proxy.types import ClientName, ProviderName
from proxy.wire import target


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: an opener per account, and the book that says whose turn it is.

    `base_path` has no slash at its end; a field of an answer that holds one of `secrets` never goes back. side: how it
    is asked for models, None for `raw`. options: what a request's builder wants to know of it (`chat.Target`).
    """

    name: ProviderName
    dialect: Dialect
    base_path: str
    book: Book
    openers: tuple[Opener, ...]
    secrets: tuple[bytes, ...]
    side: ProviderSide | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mount:
    """A path prefix and where it leads. auth: key, none or pass. heartbeat: seconds, 0 is off."""

    prefix: str
    provider: Provider
    auth: str
    heartbeat: float


@dataclass(frozen=True, slots=True)
class House:
    """mounts: longest prefix first. clients: sha256 of a key to the client's name. models: which name leads where.
    providers: those of `models`. rows: capabilities by pattern. cors: origins whose pages may ask models.
    created: when, in seconds since the epoch.
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
