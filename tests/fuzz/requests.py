"""What clients ask, spoiled, and built for every provider: a request or Invalid, never anything else; what is built is
JSON and goes where it should."""

import json
from dataclasses import dataclass
from random import Random
from typing import Final

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Declined, Invalid, Outgoing, Target
from proxy.dialects.parts import Request
from proxy.dialects.registry import CLIENTS, PROVIDERS
from proxy.dialects.rescue import build_continuation, can_rescue
from tests.fuzz.bend import bend, draw_json, draw_scalar, dump, maybe, spoil
from tests.fuzz.seeds import list_requests

_CAPABILITIES: Final = (
    Capabilities(),
    Capabilities(family="gpt"),
    Capabilities(family="claude", thinking="adaptive"),
    Capabilities(family="claude", thinking="budget"),
    Capabilities(family="gemini", thinking="level"),
    Capabilities(family="gemini", thinking="budget"),
)
_QUIRKS: Final = ("", "openai", "azure", "vllm", "mistral", "deepseek", "groq")


@dataclass(frozen=True, slots=True)
class Asking:
    client: str
    provider: str
    body: bytes
    asked: Asked
    target: Target


def draw_asking(random: Random) -> Asking:
    client = random.choice(list(CLIENTS))
    seeds = list_requests(client)
    value = bend(random, random.choice(seeds)) if maybe(random, 0.97) else draw_json(random)
    body = dump(random, value)
    if maybe(random, 0.1):
        body = spoil(random, body)
    query = {name: str(draw_scalar(random)) for name in ("prompt", "system", "model", "other") if maybe(random, 0.7)}
    model = random.choice(("m", None)) if client != "gemini" else "m"
    asked = Asked(model, random.choice((None, True, False)), {"anthropic-beta": str(draw_scalar(random))}, query)
    drop = frozenset(name for name in ("stop", "n", "logit_bias", "seed", "top_k") if maybe(random, 0.5))
    options = {"project": "p", "quirks": random.choice(_QUIRKS)}
    target = Target(random.choice(("model-1", "ä/b c?d#e")), random.choice(_CAPABILITIES), drop, options)
    return Asking(client, random.choice(list(PROVIDERS)), body, asked, target)


def check_asking(asking: Asking) -> None:
    client, provider = CLIENTS[asking.client], PROVIDERS[asking.provider]
    for build in (client.parse_request, getattr(client, "parse_count_request", None)):
        if build is None:
            continue
        try:
            request = build(asking.body, asking.asked)
        except Invalid as invalid:
            _check_invalid(invalid)
            continue
        except Declined:
            continue
        _check_built(provider, request, asking.target)
        if can_rescue(request):
            _check_built(provider, build_continuation(request, "It was"), asking.target)


def _check_built(provider: object, request: Request, target: Target) -> None:
    for name in ("build_request", "build_count_request"):
        build = getattr(provider, name, None)
        if build is None:
            continue
        try:
            outgoing: Outgoing = build(request, target)
        except Invalid as invalid:
            _check_invalid(invalid)
            continue
        except Declined:
            continue
        _check_outgoing(outgoing)


def _check_invalid(invalid: Invalid) -> None:
    assert invalid.message
    str(invalid)


def _check_outgoing(outgoing: Outgoing) -> None:
    assert outgoing.path.startswith("/")
    for text in (outgoing.path, outgoing.query or "x", *outgoing.headers, *outgoing.headers.values()):
        assert text.isascii(), text
        assert text.isprintable(), text
        if text in (outgoing.path, outgoing.query):
            assert " " not in text
            assert "#" not in text
    assert isinstance(json.loads(outgoing.body.decode(), parse_constant=_refuse), dict)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
