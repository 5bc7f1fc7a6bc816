"""What must hold between keys: listeners and clients, models, mounts and providers, keys that open too much,
rules for nobody.

Takes a complete `Config`, in which leaves that could not be read are blank, and a question: has this place
a fault already? Yields a place and a message for each thing that does not fit. A check is quiet where it
would only repeat a fault. A certificate and its key are read; nothing else outside is looked at.
"""

import ssl
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final

from proxy.config.address import Address, parse_address
from proxy.config.model import Config
from proxy.config.model.providers import BEARER_DIALECTS, QUIRK_DIALECTS
from proxy.config.pair import PairError, load_pair
from proxy.config.tree import Place, format_place

Complaint = tuple[Place, str]
IsBroken = Callable[[Place], bool]


def check_config(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    """Everything that does not fit together."""
    for check in _CHECKS:
        yield from check(config, is_broken)


def _listeners(config: Config) -> Iterator[tuple[Place, Address]]:
    for index, text in enumerate(config.server.listen):
        if text:
            yield ("server", "listen", index), parse_address(text)


def _check_loopback(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    if config.clients or is_broken(("clients",)):
        return
    for place, address in _listeners(config):
        if not address.is_loopback:
            yield (
                place,
                f"{address} is not loopback, and without any [clients] anyone could call: configure a client",
            )


def _check_duplicates(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    addresses = list(_listeners(config))
    if config.server.admin:
        addresses.append((("server", "admin"), parse_address(config.server.admin)))
    seen: dict[Address, Place] = {}
    for place, address in addresses:
        if address in seen:
            yield place, f"{address} is taken already by {format_place(seen[address])}"
        elif address.port or address.is_unix:  # port 0 is a new one each time
            seen[address] = place


def _check_tls(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    tls = config.server.tls
    for given, missing in (("certificate", "key"), ("key", "certificate")):
        place: Place = ("server", "tls", missing)
        if getattr(tls, given) and not getattr(tls, missing) and not is_broken(place):
            yield place, f"{given} stands alone: both are needed"
    if tls.certificate and tls.key:
        try:
            load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tls.certificate, tls.key)
        except PairError as error:
            yield ("server", "tls", error.part), error.message


def _check_clients(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    seen: dict[bytes, str] = {}
    for name, client in config.clients.items():
        if client.key_sha256 in seen:
            first = format_place(("clients", seen[client.key_sha256]))
            yield ("clients", name), f"the same key as {first}: who calls could not be told"
        elif client.key_sha256:
            seen[client.key_sha256] = name


def _check_headers(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    for name, provider in config.providers.items():
        seen: dict[str, str] = {}
        for header in provider.headers:
            if is_broken(("providers", name, "headers", header)):
                continue
            first = seen.setdefault(header.lower(), header)
            if first != header:
                yield ("providers", name, "headers", header), f"the same header as {first}: names ignore case"


def _check_cors(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    if "*" in config.server.cors and len(config.server.cors) > 1:
        yield ("server", "cors"), "* is every origin: it stands alone"


def _check_dialects(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    """Keys that mean something in some dialects only."""
    for name, provider in config.providers.items():
        place: Place = ("providers", name)
        if is_broken((*place, "dialect")):
            continue
        if provider.quirks and provider.dialect not in QUIRK_DIALECTS:
            yield (*place, "quirks"), f"only the dialects {' and '.join(QUIRK_DIALECTS)} have them"
        if provider.query and provider.dialect not in QUIRK_DIALECTS:
            yield (*place, "query"), f"only the dialects {' and '.join(QUIRK_DIALECTS)} have one"
        if provider.think_tags and provider.dialect != "openai-chat":
            yield (*place, "think_tags"), "only the dialect openai-chat has them"
        if not (provider.clear_thinking or provider.dialect == "glm" or is_broken((*place, "clear_thinking"))):
            yield (*place, "clear_thinking"), "only the dialect glm has it"
        if provider.project and provider.dialect != "code-assist":
            yield (*place, "project"), "only the dialect code-assist has one"
        if provider.dialect in BEARER_DIALECTS:
            continue
        for alias, account in provider.accounts.items():
            for key in ("token_command", "token_file"):
                if getattr(account, key):
                    text = f"the dialect {provider.dialect} takes a key and no bearer token"
                    yield (*place, "accounts", alias, key), text


def _check_capabilities(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    for pattern, capability in config.capabilities.items():
        place: Place = ("capabilities", pattern, "budget")
        budget = capability.budget or ()
        broken = is_broken(place) or any(is_broken((*place, index)) for index in range(len(budget)))
        if not broken and list(budget) != sorted(budget):
            yield place, "the least stands before the most"
        elif not broken and budget and not budget[-1]:
            yield place, 'the most is 0: write thinking = "none" for a model that does not reason'


def _check_models(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    for name, model in config.models.items():
        for index, target in enumerate(model.targets):
            place: Place = ("models", name, "targets", index)
            if is_broken(place) or is_broken(("providers",)):
                continue
            wanted = target.partition("/")[0]
            provider = config.providers.get(wanted)
            if provider is None:
                yield place, _tell_unknown_provider(config, wanted)
            elif provider.dialect == "raw" and not is_broken(("providers", wanted, "dialect")):
                yield place, f"provider {wanted} has the dialect raw, which has no models: only a mount can lead there"


def _check_overrides(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    for name, model in config.models.items():
        if is_broken(("models", name, "targets")) or any(not target for target in model.targets):
            continue
        for target in model.overrides:
            place: Place = ("models", name, "overrides", target)
            if target not in model.targets and not is_broken(place):
                close = get_close_matches(target, model.targets, 1)
                yield place, "it is none of the targets" + (f"; did you mean {close[0]}?" if close else "")


def _tell_unknown_provider(config: Config, name: str) -> str:
    close = get_close_matches(name, config.providers, 1)
    return f"there is no provider {name}" + (f"; did you mean {close[0]}?" if close else "")


def _check_mounts(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    public = [address for _, address in _listeners(config) if not address.is_loopback]
    for path, mount in config.mounts.items():
        provider = config.providers.get(mount.provider)
        place: Place = ("mounts", path, "provider")
        if provider is None and not is_broken(place) and not is_broken(("providers",)):
            yield place, _tell_unknown_provider(config, mount.provider)
        if provider and provider.accounts and mount.auth == "none" and public and not mount.open_to_all:
            yield (
                ("mounts", path, "auth"),
                f"anyone who reaches {public[0]} could spend the keys of provider {mount.provider}: "
                "use another auth, or confirm with open_to_all = true",
            )


def _check_rules(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    for index, rule in enumerate(config.record.when):
        kind, _, name = rule.partition(":")
        if kind == "client" and name not in config.clients and not is_broken(("clients",)):
            close = get_close_matches(name, config.clients, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield ("record", "when", index), f"there is no client {name}{hint}"


_CHECKS: Final = (
    _check_loopback,
    _check_duplicates,
    _check_tls,
    _check_cors,
    _check_clients,
    _check_headers,
    _check_dialects,
    _check_models,
    _check_overrides,
    _check_capabilities,
    _check_mounts,
    _check_rules,
)
"""In the order of the model."""
