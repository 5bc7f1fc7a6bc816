"""What a target is sent for a question, and how its answer will be read.

`aim` takes a question and one of the targets that it may be put to; it does no I/O. Where client and provider speak the
same dialect the body stays as it came but for the model's name, and for the question what a stream has cost, where the
books need it and the client did not ask; otherwise it is parsed and built anew. It raises Invalid for what the client
got wrong, or this target cannot take.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from proxy import __version__
from proxy.config.lookup import Goal
from proxy.dialects.chat import ClientSide, CountingProvider, Invalid, Outgoing, ProviderSide, Target, Turn
from proxy.dialects.fields import parse_object
from proxy.dialects.json_text import encode_json, replace_member
from proxy.dialects.openai_chat.usage_asked import add_usage, asks_usage
from proxy.dialects.parts import Request
from proxy.dialects.rescue import build_continuation
from proxy.edge.house import House, Provider
from proxy.edge.model_routes import Ask, ModelRoute
from proxy.edge.question import PAGES, Question
from proxy.edge.scope import Scope
from proxy.wire.target import take_parameters

USER_AGENT: Final = f"penstock/{__version__}"

_ENVELOPE: Final = b"gw1."
"""A signature of another dialect's that a client gives back: the provider of its own dialect must not see it."""

_OTHERS: Final = (b'"reasoning_content"', b'"reasoning_details"', b'"extra_content"')
"""Members that our answers and other vendors' give to OpenAI clients, and OpenAI itself refuses to see again."""

_STRICT: Final = frozenset({"openai", "azure"})

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
class Answerer:
    """Who answers, for as long as the answer lasts. dropped: parameters that did not go along."""

    goal: Goal
    provider: Provider
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """question: what was asked. goal: the target. provider, side: who answers. same: bytes pass as they are. counts:
    the provider counts the tokens of a count request itself. headers: in lower case, for upstream. usage_added: the
    provider was asked for the usage of its stream, and the client did not."""

    question: Question
    goal: Goal
    provider: Provider
    side: ProviderSide
    turn: Turn
    same: bool
    counts: bool
    headers: list[tuple[bytes, bytes]]
    usage_added: bool = False

    @property
    def route(self) -> ModelRoute:
        return self.question.route

    @property
    def client(self) -> ClientSide:
        return self.question.client

    @property
    def model(self) -> str:
        """As it was asked for."""
        return self.question.model

    @property
    def stream(self) -> bool:
        return self.turn.request.stream

    @property
    def answerer(self) -> Answerer:
        return Answerer(self.goal, self.provider, self.turn.outgoing.dropped)

    @property
    def target(self) -> str:
        """The raw path and query for the provider, what is configured for all its requests at the end."""
        outgoing = self.turn.outgoing
        path = self.provider.base_path + outgoing.path
        queries = [query for query in (outgoing.query, self.provider.options.get("query")) if query]
        return f"{path}?{'&'.join(queries)}" if queries else path


def aim(scope: Scope, question: Question, goal: Goal) -> Asking:
    """What `goal` is sent. Raises Invalid for what it cannot take, or the client got wrong."""
    route, name = question.route, question.model
    provider = scope.house.providers[goal.provider]
    if route.ask is Ask.EMBEDDINGS:
        if provider.dialect.name not in _EMBEDDERS:
            raise Invalid("model", "its provider has no embeddings")
        request = Request(name, [], route.dialect)
        outgoing = Outgoing("/embeddings", replace_member(question.body, "model", encode_json(goal.model)))
        return _build(scope, question, goal, request, outgoing, same=True, counts=False)
    if provider.dialect.name == route.dialect and _is_plain(question.body, provider):
        request = Request(goal.model, [], route.dialect, stream=question.stream, include_usage=_tells_usage(question))
        outgoing = _pass(scope, route, question.body, name, goal.model)
        asking = _build(scope, question, goal, request, outgoing, same=True, counts=route.ask is Ask.COUNT)
        return _ask_usage(scope.house, asking)
    request, outgoing, counts = _translate(question, provider, _choose_target(scope.house, question, goal))
    return _build(scope, question, goal, request, outgoing, same=False, counts=counts)


def aim_to_continue(scope: Scope, question: Question, goal: Goal, text: str) -> Asking:
    """As `aim`, for a target that shall go on where `text` of an answer ends."""
    provider = scope.house.providers[goal.provider]
    request = build_continuation(question.read(), text)
    outgoing = _side(provider).build_request(request, _choose_target(scope.house, question, goal))
    return _build(scope, question, goal, request, outgoing, same=False, counts=False)


def _choose_target(house: House, question: Question, goal: Goal) -> Target:
    drop = goal.drop_params
    if question.route.dialect in PAGES:  # what an app adds for itself asks nothing of a model
        drop |= frozenset(question.read().extra)
    options = house.providers[goal.provider].options
    return Target(goal.model, house.find_capabilities(goal.model), drop, options)


def _is_plain(body: bytes, provider: Provider) -> bool:
    """Nothing stands in `body` that the provider of its own dialect would not take."""
    if _ENVELOPE in body:
        return False
    strict = provider.dialect.name == "openai-chat" and provider.options.get("quirks") in _STRICT
    return not strict or not any(member in body for member in _OTHERS)


def _pass(scope: Scope, route: ModelRoute, body: bytes, name: str, model: str) -> Outgoing:
    if route.dialect == "gemini":
        parse_object(body)
        verb = route.name.rpartition(":")[2]
        return Outgoing(f"/v1beta/models/{quote(model, safe='')}:{verb}", body, _choose_query(scope.query, route))
    if model != name:
        body = replace_member(body, "model", encode_json(model))
    suffix = "/count_tokens" if route.ask is Ask.COUNT else ""
    return Outgoing(_SAME_PATHS[route.dialect] + suffix, body, scope.query, _DEFAULTS.get(route.dialect, {}))


def _tells_usage(question: Question) -> bool:
    """Whether the client reads what its stream has cost; for the dialects that leave it a choice."""
    return question.route.dialect != "openai-chat" or (question.stream and asks_usage(question.body))


def _ask_usage(house: House, asking: Asking) -> Asking:
    """With the question what the stream costs, where the books want to know and nobody asks. Only this dialect says
    it on demand; all others always do."""
    outgoing = asking.turn.outgoing
    wanted = house.wants_usage and asking.stream and not asking.turn.request.include_usage
    if not wanted or asking.route.dialect != "openai-chat":
        return asking
    target = Target(asking.goal.model, house.find_capabilities(asking.goal.model), options=asking.provider.options)
    body = add_usage(outgoing.body, target)
    if body is None:
        return asking
    return replace(asking, turn=replace(asking.turn, outgoing=replace(outgoing, body=body)), usage_added=True)


def _choose_query(query: str | None, route: ModelRoute) -> str | None:
    """The client's. A stream is asked for as events also for who wants an array: of that nothing can be read before
    all of it is there."""
    if not route.array:
        return query
    _, rest = take_parameters(query or "", "alt")
    return f"{rest}&alt=sse" if rest else "alt=sse"


def _translate(question: Question, provider: Provider, target: Target) -> tuple[Request, Outgoing, bool]:
    request, side = question.read(), _side(provider)
    if question.route.ask is not Ask.COUNT:
        return request, side.build_request(request, target), False
    if isinstance(side, CountingProvider):
        return request, side.build_count_request(request, target), True
    return request, Outgoing("", b""), False


def _side(provider: Provider) -> ProviderSide:
    """No model leads to a provider without one."""
    if provider.side is None:
        raise LookupError(provider.name)
    return provider.side


def _build(
    scope: Scope, question: Question, goal: Goal, request: Request, outgoing: Outgoing, *, same: bool, counts: bool
) -> Asking:
    provider, route = scope.house.providers[goal.provider], question.route
    turn = Turn(request, outgoing, question.id, question.created, route.array and request.stream)
    headers = _build_headers(scope, outgoing.headers, kin=provider.dialect.name == route.dialect)
    return Asking(question, goal, provider, _side(provider), turn, same, counts, headers)


def _build_headers(scope: Scope, own: Mapping[str, str], *, kin: bool) -> list[tuple[bytes, bytes]]:
    """The fields for upstream. A client of the provider's own dialect (`kin`) has its say: betas, versions, ids."""
    fixed = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
    fields = [pair for pair in scope.headers if pair[0] not in _FIXED and (kin or pair[0] == b"via")]
    given = {name for name, _ in fields}
    wanted = {b"accept": b"*/*", b"user-agent": USER_AGENT.encode()}
    wanted |= {name.lower().encode(): value.encode() for name, value in own.items()}
    return [*fields, *(pair for pair in wanted.items() if pair[0] not in given), *fixed]
