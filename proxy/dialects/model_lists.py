"""Lists of models, in the shape of who asks.

OpenAI's and Anthropic's lists share path and member names, so that one body with both sets of fields serves the SDKs of
both; Gemini's is its own (platform.openai.com/docs/api-reference/models, docs.anthropic.com/en/api/models-list,
ai.google.dev/api/models).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json


def build_list(dialect: str, names: Sequence[str], created: int) -> bytes:
    """All models. created: seconds since the epoch."""
    if dialect == "gemini":
        return encode_json({"models": [_build_gemini(name) for name in names]})
    body = {
        "object": "list",
        "data": [_build_entry(name, created) for name in names],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }
    return encode_json(body)


def build_model(dialect: str, name: str, created: int) -> bytes:
    """One model."""
    return encode_json(_build_gemini(name) if dialect == "gemini" else _build_entry(name, created))


def _build_entry(name: str, created: int) -> dict[str, Json]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "penstock",
        "type": "model",
        "display_name": name,
        "created_at": datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z"),
    }


def _build_gemini(name: str) -> dict[str, Json]:
    return {
        "name": f"models/{name}",
        "version": "1",
        "displayName": name,
        "description": "",
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }
