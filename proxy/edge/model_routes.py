"""The paths at which models are asked, in every dialect that clients speak, and what each path says by itself.

Vendors' paths as they are, and the ways in which clients misspell them: without the version, with `/api/v1` (then an
OpenRouter client is asking), with the version twice. `find_route` is pure and never raises; a path that is none of
these is None, a method that the path does not take is told by `methods`.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import unquote

from proxy.wire.headers import Headers
from proxy.wire.target import take_parameters


class Ask(Enum):
    CHAT = "chat"
    COUNT = "count"
    MODELS = "models"
    MODEL = "model"
    EMBEDDINGS = "embeddings"
    UPGRADE = "upgrade"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """ask: what is wanted. dialect: the client's. name: of the route, for the log. methods: which it takes.
    model, stream: when the path says them. array: a stream as one JSON array."""

    ask: Ask
    dialect: str
    name: str
    methods: tuple[str, ...] = ("POST",)
    model: str | None = None
    stream: bool | None = None
    array: bool = False


_PREFIX: Final = re.compile(r"(?:/api)?(?:/v1)*(?=/)")
_GEMINI: Final = re.compile(r"(?:/projects/[^/]+/locations/[^/]+/publishers/google)?/models/(.+)", re.DOTALL)
_BETA: Final = re.compile(r"/v1(?:beta1?|alpha)(?=[/%])").match
"""Versions that only Google has; `v1beta1` is Vertex AI's."""

_VERBS: Final = {"generateContent": False, "streamGenerateContent": True, "countTokens": None}
_READ: Final = ("GET", "HEAD")
_GOOGLE: Final = (b"x-goog-api-key", b"x-goog-api-client")

_PLAIN: Final = {
    "/chat/completions": ModelRoute(Ask.CHAT, "openai-chat", "/v1/chat/completions"),
    "/responses": ModelRoute(Ask.CHAT, "openai-responses", "/v1/responses"),
    "/messages": ModelRoute(Ask.CHAT, "anthropic", "/v1/messages"),
    "/messages/count_tokens": ModelRoute(Ask.COUNT, "anthropic", "/v1/messages/count_tokens"),
    "/embeddings": ModelRoute(Ask.EMBEDDINGS, "openai-chat", "/v1/embeddings"),
}
_OPENROUTER: Final = ModelRoute(Ask.CHAT, "openrouter", "/api/v1/chat/completions")
_PAGE: Final = {
    "/api/chat": ModelRoute(Ask.CHAT, "ui-message", "/api/chat", stream=True),
    "/api/stream": ModelRoute(Ask.CHAT, "event-source", "/api/stream", ("GET",), stream=True),
}


_RESUME: Final = re.compile(r"/api/chat/[^/]+/stream").fullmatch
"""Where the AI SDK's `useChat` looks for a stream that it may resume."""


def find_route(method: str, path: str, query: str | None, headers: Headers) -> ModelRoute | None:
    """The route of the raw `path`; `method` and `headers` tell dialects apart where they share one."""
    if path in _PAGE:
        return _PAGE[path]
    if _RESUME(path):
        return ModelRoute(Ask.RESUME, "ui-message", "/api/chat/{id}/stream", _READ)
    match = _PREFIX.match(path)
    prefix, rest = (match[0], path[match.end() :]) if match else ("", path)
    if rest == "/responses" and method in _READ and b"upgrade" in headers:
        return ModelRoute(Ask.UPGRADE, "openai-responses", "/v1/responses", _READ)
    if rest == "/chat/completions" and prefix.startswith("/api"):
        return _OPENROUTER
    if rest in _PLAIN:
        return _PLAIN[rest]
    return _find_models(method, rest, query, headers)


def _find_models(method: str, rest: str, query: str | None, headers: Headers) -> ModelRoute | None:
    beta = _BETA(rest)
    if beta is not None:
        rest = rest[beta.end() :]
    dialect = "gemini" if beta is not None else _tell_dialect(query, headers)
    if rest == "/models":
        return ModelRoute(Ask.MODELS, dialect, "/v1/models", _READ)
    match = _GEMINI.fullmatch(unquote(rest))
    if match is None:
        return None
    model, _, verb = match[1].rpartition(":")
    if model and verb in _VERBS:
        return _build_gemini(model, verb, query)
    if method in _READ:
        return ModelRoute(Ask.MODEL, dialect, "/v1/models/{model}", _READ, model=match[1])
    return None


def _build_gemini(model: str, verb: str, query: str | None) -> ModelRoute:
    name = f"/v1beta/models/{{model}}:{verb}"
    stream = _VERBS[verb]
    if stream is None:
        return ModelRoute(Ask.COUNT, "gemini", name, model=model)
    forms, _ = take_parameters(query or "", "alt")
    return ModelRoute(Ask.CHAT, "gemini", name, model=model, stream=stream, array=bool(stream) and forms != ["sse"])


def _tell_dialect(query: str | None, headers: Headers) -> str:
    """Who asks for a list of models: vendors share the path and differ in what they send along."""
    if b"anthropic-version" in headers:
        return "anthropic"
    google = any(name in headers for name in _GOOGLE) or take_parameters(query or "", "key")[0]
    return "gemini" if google else "openai-chat"
