"""What must hold between keys: listeners and clients, mounts and providers, keys that open too much.

Takes a complete `Config`, in which leaves that could not be read are blank, and a question: has this place
a fault already? Yields a place and a message for each thing that does not fit. A check is quiet where it
would only repeat a fault.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches

from proxy.config.address import Address, parse_address
from proxy.config.model import Config
from proxy.config.tree import Place, format_place

Complaint = tuple[Place, str]
IsBroken = Callable[[Place], bool]


def check_config(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    """Everything that does not fit together."""
    for check in (_check_loopback, _check_duplicates, _check_clients, _check_headers, _check_mounts):
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


def _check_mounts(config: Config, is_broken: IsBroken) -> Iterator[Complaint]:
    public = [address for _, address in _listeners(config) if not address.is_loopback]
    for path, mount in config.mounts.items():
        provider = config.providers.get(mount.provider)
        place: Place = ("mounts", path, "provider")
        if provider is None and not is_broken(place) and not is_broken(("providers",)):
            close = get_close_matches(mount.provider, config.providers, 1)
            yield (
                place,
                f"there is no provider {mount.provider}" + (f"; did you mean {close[0]}?" if close else ""),
            )
        if provider and provider.accounts and mount.auth == "none" and public and not mount.open_to_all:
            yield (
                ("mounts", path, "auth"),
                f"anyone who reaches {public[0]} could spend the keys of provider {mount.provider}: "
                "use another auth, or confirm with open_to_all = true",
            )
