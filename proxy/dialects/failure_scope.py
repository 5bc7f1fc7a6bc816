"""Whether a limit is the account's for one model only: then its other models can still be asked.

`is_model_only` takes the decoded error of an answer that reports a limit, and its message; False unless the provider
says so. Google says it in fields (google.rpc.QuotaFailure and ErrorInfo), everybody else in words. Never raises.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from proxy.dialects.parts import Json

_ONE_MODEL: Final = re.compile(
    r"(?i)"
    # OpenAI: "Rate limit reached for gpt-4o in organization org-a on tokens per min"; Groq: "for model `a` in ..."
    r"\b(?:rate limit reached|request too large) for (?:model )?(?!requests |tokens )\S+ in organization\b"
    r"|\(org: [^()]{1,80}, model: [^()]{1,80}\)"  # Anthropic: "rate limit of 30,000 input tokens per minute (org: ..."
    r"|\btoo many (?:tokens|requests) for team \S+ and model\b"  # xAI
    r"|\bexhausted your capacity on this model\b"  # Code Assist
    r"|per_base_model with base model\b"  # Vertex AI
    r"|\bis temporarily rate-limited upstream\b|\blimit_rp[md]/\S"  # OpenRouter: the model's host, the model's share
    r"|\bexceeded for UserByModel"  # GitHub Models
).search

# Code Assist names a model beside this too, and not the one that was asked (google-gemini/gemini-cli#29425).
_WHOLE_ACCOUNT: Final = re.compile(r"(?i)\bindividual quota reached\b").search

_PER_MODEL: Final = re.compile("Per(?:Base)?Model").search  # of names like GenerateRequestsPerDayPerProjectPerModel


def is_model_only(error: Json, message: str) -> bool:
    """message: the readable one. Of several limits that are reached the widest counts."""
    if _WHOLE_ACCOUNT(message):
        return False
    details = _list_details(error)
    violations = [violation for detail in details for violation in _iterate_violations(detail)]
    if violations:
        return all(map(_is_of_a_model, violations))
    return any(map(_names_a_model, details)) or _ONE_MODEL(message) is not None


def _list_details(error: Json) -> list[dict[str, Json]]:
    details = error.get("details") if isinstance(error, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _iterate_violations(detail: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Those of a quota; a BadRequest has `fieldViolations`."""
    violations = detail.get("violations")
    if isinstance(violations, list):
        yield from (violation for violation in violations if isinstance(violation, dict))


def _is_of_a_model(violation: Mapping[str, Json]) -> bool:
    dimensions = violation.get("quotaDimensions")
    named = isinstance(dimensions, dict) and bool(dimensions.get("model") or dimensions.get("base_model"))
    return named or _PER_MODEL(str(violation.get("quotaId"))) is not None


def _names_a_model(detail: Mapping[str, Json]) -> bool:
    """google.rpc.ErrorInfo."""
    metadata = detail.get("metadata")
    if not isinstance(metadata, dict):
        return False
    return bool(metadata.get("model")) or _PER_MODEL(str(metadata.get("quota_limit"))) is not None
