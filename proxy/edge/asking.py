"""A request on a model route, understood: whom it goes to, what is sent there, and how the answer is read.

`understand` takes a route, a body and the configuration in force; it does no I/O. Where client and provider speak the
same dialect the body stays as it came but for the model's name; otherwise it is parsed and built anew. It raises
Invalid for what the client got wrong and Declined for what cannot be had.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, quote

from proxy import __version__
from proxy.dialects.capabilities import find_capabilities
from proxy.dialects.chat import (
    Asked,
    ClientSide,
    CountingClient,
    CountingProvider,
    Declined,
    Invalid,
    Outgoing,
    ProviderSide,
    Target,
    Turn,
)
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.fields import parse_object
from proxy.dialects.json_text import encode_json, replace_member
from proxy.dialects.parts import Request
from proxy.dialects.registry import CLIENTS
from proxy.edge.house import House, Provider
from proxy.edge.model_routes import Ask, ModelRoute
from proxy.edge.scope import Scope
from proxy.wire.target import take_parameters

USER_AGENT: Final = f"penstock/{__version__}"

_ENVELOPE: Final = b"gw1."
"""A signature of another dialect's that a client gives back: the provider of its own dialect must not see it."""

_OTHERS: Final = (b'"reasoning_content"', b'"reasoning_details"', b'"extra_content"')
"""Members that our answers and other vendors' give to OpenAI clients, and OpenAI itself refuses to see again."""

_STRICT: Final = frozenset({"openai", "azure"})

_PAGES: Final = frozenset({"ui-message", "event-source"})

_EMBEDDERS: Final = frozenset({"openai-chat", "openai-responses", "openrouter", "glm"})

_SAME_PATHS: Final = {
    "openai-chat": "/chat/completions",
    "openrouter": "/chat/completions",
    "openai-responses": "/responses",
    "anthropic": "/v1/messages",
}

_DEFAULTS: Final = {"anthropic": {"anthropic-version": "2023-06-01"}}
"""Fields that a provider insists on and a client may leave out."""

_FIXED: Final = frozenset({b"content-type", b"accept-encoding"})


@dataclass(frozen=True, slots=True)
class Asking:
    """route, client: who asks. provider, side: who answers. model: as it was asked for. same: bytes pass as they are.
    counts: the provider counts the tokens of a count request itself. headers: in lower case, for upstream."""

    route: ModelRoute
    client: ClientSide
    provider: Provider
    side: ProviderSide
    model: str
    turn: Turn
    same: bool
    counts: bool
    headers: list[tuple[bytes, bytes]]

    @property
    def stream(self) -> bool:
        return self.turn.request.stream

    @property
    def target(self) -> str:
        """The raw path and query for the provider, what is configured for all its requests at the end."""
        outgoing = self.turn.outgoing
        path = self.provider.base_path + outgoing.path
        queries = [query for query in (outgoing.query, self.provider.options.get("query")) if query]
        return f"{path}?{'&'.join(queries)}" if queries else path


def understand(scope: Scope, route: ModelRoute, body: bytes, created: int) -> Asking:
    """Raises Invalid and Declined."""
    house = scope.house
    asked = _build_asked(scope, route, house)
    client = CLIENTS[route.dialect]
    name, stream = _peek(route, body, asked)
    goal, drop = _find_goal(house, name)
    provider = house.providers[goal[0]]
    side = provider.side
    if side is None:
        raise Declined(_unknown(house, name))
    if route.ask is Ask.EMBEDDINGS:
        if provider.dialect.name not in _EMBEDDERS:
            raise Invalid("model", "its provider has no embeddings")
        request = Request(name, [], route.dialect)
        outgoing = Outgoing("/embeddings", replace_member(body, "model", encode_json(goal[1])))
        return _build(scope, route, client, provider, name, request, outgoing, created, same=True, counts=False)
    same = provider.dialect.name == route.dialect and _is_plain(body, provider)
    if same:
        request = Request(goal[1], [], route.dialect, stream=stream)
        outgoing = _pass(scope, route, body, name, goal[1])
        counts = route.ask is Ask.COUNT
        return _build(scope, route, client, provider, name, request, outgoing, created, same=True, counts=counts)
    target = Target(goal[1], find_capabilities(goal[1], house.rows), drop, provider.options)
    request, outgoing, counts = _translate(route, client, side, body, asked, target)
    return _build(scope, route, client, provider, name, request, outgoing, created, same=False, counts=counts)


def _is_plain(body: bytes, provider: Provider) -> bool:
    """Nothing stands in `body` that the provider of its own dialect would not take."""
    if _ENVELOPE in body:
        return False
    strict = provider.dialect.name == "openai-chat" and provider.options.get("quirks") in _STRICT
    return not strict or not any(member in body for member in _OTHERS)


def _build_asked(scope: Scope, route: ModelRoute, house: House) -> Asked:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.head.headers.lowered}
    query = dict(parse_qsl(scope.query or "", keep_blank_values=True))
    model = route.model
    if model is None and route.dialect in _PAGES:
        model = next(iter(house.models.names), None)  # a page need not name one: the first that is configured
    return Asked(model, route.stream, headers, query)


def _peek(route: ModelRoute, body: bytes, asked: Asked) -> tuple[str, bool]:
    """Model and stream, before it is known whether the rest has to be understood."""
    if route.model is not None:
        return route.model, bool(route.stream)
    if route.dialect == "event-source":
        name, stream = asked.query.get("model") or asked.model, True
    else:
        fields = parse_object(body)
        name = fields.text("model", None) or asked.model
        stream = fields.flag("stream", False) if route.stream is None else route.stream
    if not name:
        raise Invalid("model", "is required")
    return name, stream


def _find_goal(house: House, name: str) -> tuple[tuple[str, str], frozenset[str]]:
    found = house.models.find(name)
    if found is None:
        raise Declined(_unknown(house, name))
    goal = found.goals[0]
    return (goal.provider, goal.model), found.drop_params


def _unknown(house: House, name: str) -> Failure:
    near = house.models.suggest(name)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return Failure(FailureKind.NOT_FOUND, f"there is no model of this name{hint}", 404, param="model")


def _pass(scope: Scope, route: ModelRoute, body: bytes, name: str, model: str) -> Outgoing:
    if route.dialect == "gemini":
        parse_object(body)
        verb = route.name.rpartition(":")[2]
        return Outgoing(f"/v1beta/models/{quote(model, safe='')}:{verb}", body, _choose_query(scope.query, route))
    if model != name:
        body = replace_member(body, "model", encode_json(model))
    suffix = "/count_tokens" if route.ask is Ask.COUNT else ""
    return Outgoing(_SAME_PATHS[route.dialect] + suffix, body, scope.query, _DEFAULTS.get(route.dialect, {}))


def _choose_query(query: str | None, route: ModelRoute) -> str | None:
    """The client's. A stream is asked for as events also for who wants an array: of that nothing can be read before
    all of it is there."""
    if not route.array:
        return query
    _, rest = take_parameters(query or "", "alt")
    return f"{rest}&alt=sse" if rest else "alt=sse"


def _translate(
    route: ModelRoute, client: ClientSide, side: ProviderSide, body: bytes, asked: Asked, target: Target
) -> tuple[Request, Outgoing, bool]:
    if route.ask is Ask.COUNT and isinstance(client, CountingClient):
        request = client.parse_count_request(body, asked)
        if isinstance(side, CountingProvider):
            return request, side.build_count_request(request, target), True
        return request, Outgoing("", b""), False
    request = client.parse_request(body, asked)
    if route.dialect in _PAGES:  # what an app adds for itself asks nothing of a model
        target = replace(target, drop=target.drop | frozenset(request.extra))
    return request, side.build_request(request, target), False


def _build(
    scope: Scope,
    route: ModelRoute,
    client: ClientSide,
    provider: Provider,
    name: str,
    request: Request,
    outgoing: Outgoing,
    created: int,
    *,
    same: bool,
    counts: bool,
) -> Asking:
    if provider.side is None:
        raise Declined(_unknown(scope.house, name))
    turn = Turn(request, outgoing, scope.record.id, created, route.array and request.stream)
    headers = _build_headers(scope, outgoing.headers, kin=provider.dialect.name == route.dialect)
    return Asking(route, client, provider, provider.side, name, turn, same, counts, headers)


def _build_headers(scope: Scope, own: Mapping[str, str], *, kin: bool) -> list[tuple[bytes, bytes]]:
    """The fields for upstream. A client of the provider's own dialect (`kin`) has its say: betas, versions, ids."""
    fixed = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
    fields = [pair for pair in scope.headers if pair[0] not in _FIXED and (kin or pair[0] == b"via")]
    given = {name for name, _ in fields}
    wanted = {b"accept": b"*/*", b"user-agent": USER_AGENT.encode()}
    wanted |= {name.lower().encode(): value.encode() for name, value in own.items()}
    return [*fields, *(pair for pair in wanted.items() if pair[0] not in given), *fixed]
