"""The whole configuration: its tables."""

from typing import Annotated

from msgspec import Struct, field

from proxy.config.marks import Named, Section
from proxy.config.model.capability import Capability
from proxy.config.model.clients import Client
from proxy.config.model.ledger import Ledger, Price
from proxy.config.model.limits import Limits
from proxy.config.model.providers import Provider
from proxy.config.model.routes import Model, Mount
from proxy.config.model.server import Log, Server, State
from proxy.config.model.watching import Chat, Console, Recording
from proxy.config.syntax import check_mount_path, check_name, check_pattern, check_price


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration. The dictionaries keep the order of the files; nobody changes them."""

    server: Annotated[Server, Section("Where the proxy listens.")] = Server()
    limits: Annotated[Limits, Section("Times, sizes and counts that nothing may exceed.")] = Limits()
    state: Annotated[State, Section("What outlives a restart.")] = State()
    clients: Annotated[
        dict[str, Client],
        Named(check_name, "CLIENT", "Who may call. Without any client only loopback may be listened on."),
    ] = field(default_factory=dict)
    providers: Annotated[
        dict[str, Provider], Named(check_name, "PROVIDER", "The APIs behind the proxy, each with its keys.")
    ] = field(default_factory=dict)
    models: Annotated[
        dict[str, Model],
        Named(
            check_pattern,
            '"MODEL"',
            "The names of models that callers ask for; `*` in one stands for any text. An exact name goes before a "
            "pattern, a longer pattern before a shorter one; `provider/model` needs no entry.",
        ),
    ] = field(default_factory=dict)
    capabilities: Annotated[
        dict[str, Capability],
        Named(
            check_pattern,
            '"PATTERN"',
            "What the providers' models can take, where it differs from what the package knows. In the pattern `*` "
            "stands for any text and `?` for one character; case is ignored, and so is a vendor's name before a slash. "
            "Key by key, a longer pattern goes over a shorter one, and a whole name over any pattern.",
        ),
    ] = field(default_factory=dict)
    mounts: Annotated[
        dict[str, Mount],
        Named(
            check_mount_path,
            '"/PATH"',
            "Paths that lead to a provider, byte for byte: what follows the path is put behind `base_url`. The "
            "longest path that fits wins.",
        ),
    ] = field(default_factory=dict)
    ledger: Annotated[Ledger, Section("What every request used and cost, row by row.")] = Ledger()
    prices: Annotated[
        dict[str, Price],
        Named(
            check_price,
            '"PROVIDER/MODEL"',
            "What a million tokens cost at a provider, by the provider's name for the model; `*` stands for any text. "
            "An exact name goes before a pattern, a longer pattern before a shorter one. A cost that the "
            "provider itself tells goes before any. All prices are in one currency, whichever it is.",
        ),
    ] = field(default_factory=dict)
    console: Annotated[Console, Section("The page that shows every stream, on the admin listener.")] = Console()
    chat: Annotated[Chat, Section("A page to talk to the models with, on the main listener.")] = Chat()
    record: Annotated[Recording, Section("Streams that are kept as they came, to be shown and replayed.")] = Recording()
    log: Annotated[Log, Section("What the program writes about itself, to standard error.")] = Log()
