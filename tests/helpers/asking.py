"""Requests understood by a house of seven providers, one per dialect: `ask(path, body, *fields)`."""

import json
from typing import Any

from proxy.edge.asking import Asking, aim
from proxy.edge.house import House
from proxy.edge.model_routes import find_route
from proxy.edge.question import understand
from proxy.edge.scope import Scope
from tests.helpers.edge import build_model_house, build_scope

DIALECTS = {
    "oai": "openai-chat",
    "rsp": "openai-responses",
    "ant": "anthropic",
    "gem": "gemini",
    "glm": "glm",
    "orr": "openrouter",
    "cas": "code-assist",
}
MODELS = {
    "gpt-best": {"targets": ["oai/gpt-5", "ant/claude"]},
    "claude-*": {"targets": ["ant/*"]},
    "gemini-best": {"targets": ["gem/gemini-3-pro"]},
    "thrifty": {"targets": ["ant/claude"], "drop_params": ["logit_bias"]},
}
HOUSE = build_model_house(DIALECTS, MODELS)
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
SAID = [{"role": "user", "content": "hi"}]


def ask(
    target: str, body: Any = b"", *fields: tuple[bytes, bytes], house: House = HOUSE, method: str = "POST"
) -> Asking:
    scope = build_asking_scope(target, *fields, house=house, method=method)
    assert scope.route is not None
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    question = understand(scope, scope.route, data, 1700000000)
    return aim(scope, question, question.found.goals[0])


def build_asking_scope(target: str, *fields: tuple[bytes, bytes], house: House = HOUSE, method: str = "POST") -> Scope:
    """As the middlewares leave it: fields in lower case."""
    scope = build_scope(house, method, target, *fields)
    path, mark, query = target.partition("?")
    scope.query = query if mark else None
    scope.route = find_route(method, path, scope.query, scope.head.headers)
    scope.headers = list(scope.head.headers.lowered)
    return scope


def sent(asking: Asking) -> bytes:
    return asking.turn.outgoing.body
