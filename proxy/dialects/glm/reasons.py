"""Why a GLM model stopped, in the words that it has beside OpenAI's (docs.z.ai/api-reference/llm/chat-completion)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import FailureKind, Reason
from proxy.dialects.openai_chat import reasons

REASONS: Final[Mapping[str, Reason]] = MappingProxyType({
    **reasons.REASONS,
    "sensitive": Reason.CONTENT_FILTER,
    "model_context_window_exceeded": Reason.CONTEXT_FULL,
})  # fmt: skip

FAILING: Final[Mapping[str, FailureKind]] = MappingProxyType({
    **reasons.FAILING,
    "network_error": FailureKind.SERVER,  # their server's trouble, said where a finish should stand
})  # fmt: skip
