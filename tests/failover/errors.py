"""How each vendor says that it will not answer: status and body, by what is wrong. Texts as their APIs send them."""

from collections.abc import Mapping
from typing import Any, Final

from tests.failover.voices import POLICY, PREFILL

# what is wrong: status, OpenAI's type and code, Anthropic's type, Google's status
_KINDS: Final[Mapping[str, tuple[int, str, str | None, str, str]]] = {
    "rate": (429, "requests", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    "server": (500, "server_error", None, "api_error", "INTERNAL"),
    "overloaded": (503, "server_error", None, "overloaded_error", "UNAVAILABLE"),
    "context": (400, "invalid_request_error", "context_length_exceeded", "invalid_request_error", "INVALID_ARGUMENT"),
    "policy": (400, "invalid_request_error", "content_policy_violation", "invalid_request_error", "INVALID_ARGUMENT"),
    "prefill": (400, "invalid_request_error", None, "invalid_request_error", "INVALID_ARGUMENT"),
}
_MESSAGES: Final[Mapping[str, str]] = {
    "rate": "Too many requests for this key.",
    "server": "The server had an error while processing your request.",
    "overloaded": "The service is overloaded, try again later.",
    "policy": f"Your request was rejected: {POLICY}.",
    "prefill": f"This model {PREFILL}. The conversation must end with a user message.",
}
_CONTEXT: Final[Mapping[str, str]] = {
    "openai-chat": "This model's maximum context length is 8192 tokens. Your messages resulted in 9001 tokens.",
    "openai-responses": "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "anthropic": "prompt is too long: 213462 tokens > 200000 maximum",
    "gemini": "The input token count (1048600) exceeds the maximum number of tokens allowed (1048576).",
}


def build_error(dialect: str, kind: str) -> tuple[int, dict[str, Any]]:
    status, openai, code, anthropic, google = _KINDS[kind]
    message = _CONTEXT[dialect] if kind == "context" else _MESSAGES[kind]
    if dialect == "anthropic":
        error = {"type": anthropic, "message": message}
        return status, {"type": "error", "error": error, "request_id": "req_011"}
    if dialect == "gemini":
        return status, {"error": {"code": status, "message": message, "status": google}}
    param = "input" if kind == "context" else None
    return status, {"error": {"message": message, "type": openai, "param": param, "code": code}}
