"""A request on a model route, as far as it is understood before it is known who answers.

`understand` takes a route, a body and the configuration in force; it does no I/O. It raises Invalid for what the client
got wrong and Declined for a model that nobody has. What a particular target is sent stands in `asking.py`; it may be
built for several of them, so body and request are kept here until the answer has begun.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from proxy.config.lookup import Found
from proxy.dialects.chat import Asked, ClientSide, CountingClient, Declined, Invalid, Outgoing, Turn
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.fields import parse_object
from proxy.dialects.parts import Json, Request
from proxy.dialects.registry import CLIENTS
from proxy.edge.house import House
from proxy.edge.model_routes import Ask, ModelRoute
from proxy.edge.scope import Scope
from proxy.types import RequestId

PAGES: Final = frozenset({"ui-message", "event-source"})


@dataclass(slots=True, eq=False)
class Question:
    """route, client: who asks. model: as it was asked for. stream: as the client wants it. body: as it came.
    found: who may answer. id, created: of the request; created in seconds since the epoch."""

    route: ModelRoute
    client: ClientSide
    model: str
    stream: bool
    body: bytes
    asked: Asked
    found: Found
    id: RequestId
    created: int
    _request: Request | None = field(default=None)

    def read(self) -> Request:
        """The request, parsed when it is first wanted. Raises Invalid."""
        if self._request is None:
            if self.route.ask is Ask.COUNT and isinstance(self.client, CountingClient):
                self._request = self.client.parse_count_request(self.body, self.asked)
            else:
                self._request = self.client.parse_request(self.body, self.asked)
        return self._request

    def read_fields(self) -> dict[str, Json]:
        """The body's members, {} where it is no object."""
        try:
            return dict(parse_object(self.body).value)
        except Invalid:
            return {}

    def forget(self) -> None:
        """Let go of what was asked: nobody will be asked again."""
        self.body, self._request = b"", None

    def open_turn(self) -> Turn:
        """What an encoder needs to know while nobody answers yet."""
        request = Request(self.model, [], self.route.dialect, stream=self.stream)
        return Turn(request, Outgoing("", b""), self.id, self.created, self.route.array and self.stream)


def understand(scope: Scope, route: ModelRoute, body: bytes, created: int) -> Question:
    """Raises Invalid and Declined."""
    house = scope.house
    asked = _build_asked(scope, route, house)
    name, stream = _peek(route, body, asked)
    found = house.find_model(scope.record.client, name)
    if found is None:
        raise Declined(_unknown(scope, name))
    return Question(route, CLIENTS[route.dialect], name, stream, body, asked, found, scope.record.id, created)


def _build_asked(scope: Scope, route: ModelRoute, house: House) -> Asked:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.head.headers.lowered}
    query = dict(parse_qsl(scope.query or "", keep_blank_values=True))
    model = route.model
    if model is None and route.dialect in PAGES:
        model = next(
            iter(house.list_models(scope.record.client)), None
        )  # a page need not name one: the first that is configured
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


def _unknown(scope: Scope, name: str) -> Failure:
    near = scope.house.suggest_models(scope.record.client, name)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return Failure(FailureKind.NOT_FOUND, f"there is no model of this name{hint}", 404, param="model")
