"""Where requests may lead: the routes and mounts of a configuration, as the console shows them."""

from typing import Any

import msgspec

from proxy.config.model import Config, Model

_PATTERN = "*"


class Target(msgspec.Struct, frozen=True):
    """tier: a lower one goes first; those of one tier share the requests by weight."""

    provider: str
    model: str
    tier: int
    weight: int


class RouteView(msgspec.Struct, frozen=True):
    """kind: `name`, or `pattern` with a `*`, or `provider` for whatever a provider calls its models."""

    name: str
    kind: str
    rescue: str
    targets: list[Target]


class MountView(msgspec.Struct, frozen=True):
    prefix: str
    provider: str
    dialect: str
    auth: str


def list_routes(config: Config) -> list[RouteView]:
    """In the order in which the configuration has them."""
    routes = [
        RouteView(name, "pattern" if _PATTERN in name else "name", model.rescue, _list_targets(model))
        for name, model in config.models.items()
    ]
    speaking = [name for name, provider in config.providers.items() if provider.dialect != "raw"]
    return routes + [RouteView(f"{name}/*", "provider", "off", [Target(name, "*", 1, 1)]) for name in speaking]


def list_mounts(config: Config) -> list[MountView]:
    return [
        MountView(prefix, mount.provider, config.providers[mount.provider].dialect, mount.auth)
        for prefix, mount in config.mounts.items()
    ]


def _list_targets(model: Model) -> list[Target]:
    targets = []
    for place, text in enumerate(model.targets, 1):
        provider, _, name = text.partition("/")
        override = model.overrides.get(text)
        tier = override.tier if override is not None and override.tier is not None else place
        targets.append(Target(provider, name, tier, override.weight if override is not None else 1))
    return sorted(targets, key=lambda target: target.tier)


def forget_seconds(view: Any) -> Any:
    """A provider's view without what changes by itself: a viewer counts down on its own."""
    for cooldowns in (view.get("cooldowns", []), *(account.get("cooldowns", []) for account in view["accounts"])):
        for cooldown in cooldowns:
            del cooldown["seconds_left"]
    return view
