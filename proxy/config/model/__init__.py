"""The configuration as the program sees it: frozen structs, every default once, with its reason beside it.

The annotations are data: loader, manual and JSON schema are made from them, so a new key is one line here.
`Leaf` says how a value is read and why its default is what it is, `Section` marks a table, `Named` a table
whose keys are chosen by the user. Durations are seconds and 0.0 means off, sizes are bytes. Nothing here
reads files or knows where a value came from.
"""

from proxy.config.model.capability import Capability
from proxy.config.model.clients import Client
from proxy.config.model.config import Config
from proxy.config.model.ledger import Ledger, Price
from proxy.config.model.limits import Limits
from proxy.config.model.providers import DIALECTS, Account, Provider
from proxy.config.model.routes import Model, Mount, Override
from proxy.config.model.server import Log, Server, State, Tls
from proxy.config.model.watching import Chat, Console, Recording

__all__ = [
    "DIALECTS",
    "Account",
    "Capability",
    "Chat",
    "Client",
    "Config",
    "Console",
    "Ledger",
    "Limits",
    "Log",
    "Model",
    "Mount",
    "Override",
    "Price",
    "Provider",
    "Recording",
    "Server",
    "State",
    "Tls",
]
