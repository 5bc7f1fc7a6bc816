"""Whose way of speaking the OpenAI dialects a provider has, told by the host of its base URL.

The names are those that a configuration may write as `quirks`. A host that nobody here knows is `compatible`: what
every server that calls itself OpenAI-compatible understands.
"""

from typing import Final
from urllib.parse import urlsplit

COMPATIBLE: Final = "compatible"

QUIRKS: Final = (
    "openai",
    "deepseek",
    "groq",
    "mistral",
    "qwen",
    "moonshot",
    "xai",
    "vllm",
    "ollama",
    "azure",
    "google",
    COMPATIBLE,
)

_HOSTS: Final = {
    "api.openai.com": "openai",  # eu.api.openai.com and us.api.openai.com too
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "aliyuncs.com": "qwen",  # dashscope.aliyuncs.com, dashscope-intl.aliyuncs.com
    "api.moonshot.ai": "moonshot",
    "api.moonshot.cn": "moonshot",
    "api.x.ai": "xai",
    "openai.azure.com": "azure",  # RESOURCE.openai.azure.com
    "cognitiveservices.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "googleapis.com": "google",  # generativelanguage and aiplatform, each with an endpoint for OpenAI clients
    "ollama.com": "ollama",
}
"""A host, or what a host ends in after a dot."""

_OLLAMA_PORT: Final = 11434
"""Where Ollama listens unless told otherwise, on whatever host. vLLM's 8000 is everybody's."""


def choose_quirks(written: str, base_url: str) -> str:
    """What was written, or what the base URL tells."""
    if written:
        return written
    url = urlsplit(base_url)
    host = (url.hostname or "").rstrip(".")
    labels = host.split(".")
    for start in range(len(labels)):
        found = _HOSTS.get(".".join(labels[start:]))
        if found:
            return found
    return "ollama" if url.port == _OLLAMA_PORT else COMPATIBLE
